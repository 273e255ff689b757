"""From a decoded picture of any size to the model's size; the same in training and serving."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.pictures import Pictures


def read_picture(pictures: Pictures, i: int, preprocess: Preprocess) -> UInt8[np.ndarray, "C H W"]:
    """Loads picture ``i`` and fits it to the model's size.

    Large JPEGs are decoded at a fraction of their size, never below what they are scaled to, so no
    fit ever has to enlarge what the file holds in full.

    Raises:
        UnreadablePicture: see ``decode``.
    """
    side = max(preprocess.height, preprocess.width, preprocess.resize_side)
    return fit_picture(pictures.load(i, channels=preprocess.channels, min_side=side), preprocess)


def leaves_untouched(preprocess: Preprocess) -> bool:
    """Whether a picture that has the model's size already stays as it is."""
    if preprocess.fit != "crop" or preprocess.resize_side == 0:
        return True
    return preprocess.resize_side == min(preprocess.height, preprocess.width)


def fit_picture(
    picture: UInt8[np.ndarray, "H W C"], preprocess: Preprocess
) -> UInt8[np.ndarray, "C height width"]:
    """Resizes a picture once, with antialiasing (over all pixels that a new one covers).

    With a ``resize_side`` every pixel is the one that torchvision's ``Resize`` and ``CenterCrop``
    give for a Pillow image, which is what timm uses: the long side is rounded down, and an odd
    margin is shared by rounding half to even. (transformers rounds the margin down, so a margin of
    3, 7, 11, ... pixels puts its centre one pixel away from this one.)

    Args:
        picture: pixels from 0 to 255 with ``preprocess.channels`` channels.
        preprocess: the size to reach, and how (crop, squash or pad).

    Returns:
        The picture in the model's size, untouched where it already had it and nothing is cut off.
    """
    height, width, channels = picture.shape
    assert channels == preprocess.channels
    target_height, target_width = preprocess.height, preprocess.width
    if (height, width) == (target_height, target_width) and leaves_untouched(preprocess):
        return np.ascontiguousarray(picture.transpose(2, 0, 1))

    size = (target_width, target_height)
    box = (0.0, 0.0, float(width), float(height))
    if preprocess.fit == "crop":
        scaled = _scaled(height, width, short_side=preprocess.resize_side)
        if scaled[0] >= target_width and scaled[1] >= target_height:
            size = scaled
        else:  # no side to scale to first, or one that would leave an oblong model uncovered
            box = _centred_box(height, width, aspect=target_width / target_height)
    elif preprocess.fit == "pad":
        scale = min(target_height / height, target_width / width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))

    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    resized = np.asarray(image.resize(size, _RESAMPLING[preprocess.interpolation], box=box))
    resized = resized.reshape(size[1], size[0], channels).transpose(2, 0, 1)
    if preprocess.fit == "pad":
        return _with_bars(resized, target_height, target_width)
    top, left = round((size[1] - target_height) / 2), round((size[0] - target_width) / 2)
    return np.ascontiguousarray(resized[:, top : top + target_height, left : left + target_width])


_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def _scaled(height: int, width: int, *, short_side: int) -> tuple[int, int]:
    """Width and height once the short side is that long."""
    long_side = int(short_side * max(height, width) / min(height, width))
    return (short_side, long_side) if width <= height else (long_side, short_side)


def _with_bars(
    picture: UInt8[np.ndarray, "C h w"], height: int, width: int
) -> UInt8[np.ndarray, "C H W"]:
    """The picture in the middle of a black one."""
    fitted = np.zeros((len(picture), height, width), dtype=np.uint8)
    top, left = (height - picture.shape[1]) // 2, (width - picture.shape[2]) // 2
    fitted[:, top : top + picture.shape[1], left : left + picture.shape[2]] = picture
    return fitted


def _centred_box(height: int, width: int, *, aspect: float) -> tuple[float, float, float, float]:
    """The largest centred (left, top, right, bottom) of this width / height inside a picture."""
    box_height = min(float(height), width / aspect)
    box_width = min(float(width), height * aspect)
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return left, top, left + box_width, top + box_height
