"""From a decoded picture of any size to the model's size; the same in training and serving."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.pictures import Pictures


def read_picture(pictures: Pictures, i: int, preprocess: Preprocess) -> UInt8[np.ndarray, "C H W"]:
    """Loads picture ``i`` and fits it to the model's size.

    Large JPEGs are decoded at a fraction of their size, never below the model's, so no fit ever
    has to enlarge what the file holds in full.

    Raises:
        UnreadablePicture: see ``decode``.
    """
    picture = pictures.load(
        i, channels=preprocess.channels, min_side=max(preprocess.height, preprocess.width)
    )
    return fit_picture(picture, preprocess)


def fit_picture(
    picture: UInt8[np.ndarray, "H W C"], preprocess: Preprocess
) -> UInt8[np.ndarray, "C height width"]:
    """Resizes a picture once, with antialiasing (bilinear over all pixels that a new one covers).

    Args:
        picture: pixels from 0 to 255 with ``preprocess.channels`` channels.
        preprocess: the size to reach, and how (crop, squash or pad).

    Returns:
        The picture in the model's size, untouched where it already had it.
    """
    height, width, channels = picture.shape
    assert channels == preprocess.channels
    target_height, target_width = preprocess.height, preprocess.width
    if (height, width) == (target_height, target_width):
        return np.ascontiguousarray(picture.transpose(2, 0, 1))

    size = (target_width, target_height)
    box = (0.0, 0.0, float(width), float(height))
    if preprocess.fit == "crop":
        box = _centred_box(height, width, aspect=target_width / target_height)
    elif preprocess.fit == "pad":
        scale = min(target_height / height, target_width / width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))

    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    resized = np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=box))
    resized = resized.reshape(size[1], size[0], channels).transpose(2, 0, 1)
    if resized.shape[1:] == (target_height, target_width):
        return np.ascontiguousarray(resized)

    fitted = np.zeros((channels, target_height, target_width), dtype=np.uint8)
    top, left = (target_height - size[1]) // 2, (target_width - size[0]) // 2
    fitted[:, top : top + size[1], left : left + size[0]] = resized
    return fitted


def _centred_box(height: int, width: int, *, aspect: float) -> tuple[float, float, float, float]:
    """The largest centred (left, top, right, bottom) of this width / height inside a picture."""
    box_height = min(float(height), width / aspect)
    box_width = min(float(width), height * aspect)
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return left, top, left + box_width, top + box_height
