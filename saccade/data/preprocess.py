"""From a decoded picture of any size to the model's size; the same in training and serving."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.pictures import Pictures
from saccade.data.placement import plan_fit


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

    fitting = plan_fit(height, width, preprocess)
    size = (fitting.width, fitting.height)
    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    resized = np.asarray(image.resize(size, _RESAMPLING[preprocess.interpolation], box=fitting.box))
    resized = resized.reshape(fitting.height, fitting.width, channels).transpose(2, 0, 1)
    if preprocess.fit == "pad":
        fitted = np.zeros((channels, target_height, target_width), dtype=np.uint8)
        rows = slice(fitting.top, fitting.top + fitting.height)
        fitted[:, rows, fitting.left : fitting.left + fitting.width] = resized
        return fitted
    top, left = -fitting.top, -fitting.left
    return np.ascontiguousarray(resized[:, top : top + target_height, left : left + target_width])


_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
