"""May pictures with masks be mirrored? The outlines of what is in them are asked."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from PIL import Image

from saccade.data.annotations import IGNORED_CLASS, ClassMap, Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.regions import box_of
from saccade.data.samples import Samples
from saccade.planning.mirror import mirror_ratio

NUM_PICTURES, NUM_SHAPES = 512, 1500
"""That are looked at, at most."""

SHAPE_SIDE = 24
"""Pixels that an outline is resized to."""

_LARGEST_BOX = 0.6  # of the picture; what reaches all over it is background, and has no shape


def shape_mirror_ratio(samples: Samples) -> float | None:
    """The mirror test (``saccade.planning.mirror``) on the outlines of objects or of classes.

    Colours and textures say little of a class there, and much in photographs; outlines tell a 2
    from its mirror image whatever it is painted on.

    Returns:
        As ``mirror_ratio``; 1 where everything is of one class, since a mirror image cannot become
        another one. None without masks, or where outlines say too little.
    """
    shapes: list[UInt8[np.ndarray, "1 h w"]] = []
    labels: list[int] = []
    for mask, label in _masks(samples):
        shapes.append(_shape(mask))
        labels.append(label)
        if len(shapes) == NUM_SHAPES:
            break
    if not shapes:
        return None
    if len(set(labels)) == 1:
        return 1.0
    return mirror_ratio(torch.from_numpy(np.stack(shapes)), torch.tensor(labels))


def _masks(samples: Samples) -> Iterator[tuple[Bool[np.ndarray, "H W"], int]]:
    """The pixels of each object, or of each class of a picture, cut to their box."""
    assert samples.annotations is not None
    count = min(NUM_PICTURES, len(samples))
    for position in np.linspace(0, len(samples) - 1, count).astype(int).tolist():
        try:
            annotation = samples.annotations.load(int(samples.ids[position]))
        except UnreadablePicture:
            continue  # the loader counts and names them
        match annotation:
            case Segments(segments=numbers, labels=ids):
                kinds = [(number, int(label)) for number, label in enumerate(ids, start=1)]
            case ClassMap(classes=numbers):
                kinds = [(k, k) for k in np.unique(numbers).tolist() if k != IGNORED_CLASS]
            case _:
                return
        for number, label in kinds:
            mask = numbers == number
            left, top, right, bottom = box_of(mask).astype(int).tolist()
            area = (right - left) * (bottom - top)
            if 0 < area < _LARGEST_BOX * mask.size:
                yield mask[top:bottom, left:right], label


def _shape(mask: Bool[np.ndarray, "H W"]) -> UInt8[np.ndarray, "1 h w"]:
    """The mask as a small square picture, its aspect kept."""
    height, width = mask.shape
    square = np.zeros((max(mask.shape),) * 2, dtype=np.uint8)
    top, left = (len(square) - height) // 2, (len(square) - width) // 2
    square[top : top + height, left : left + width][mask] = 255
    small = Image.fromarray(square).resize((SHAPE_SIDE,) * 2, Image.Resampling.BOX)
    return np.asarray(small)[None]
