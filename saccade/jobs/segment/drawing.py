"""Masks drawn over pictures, and written as files that other programs read."""

import colorsys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int32, UInt8
from PIL import Image

from saccade.data.annotations import IGNORED_CLASS
from saccade.jobs.drawing import enlargement

COVER = 0.55
"""How much of the picture a colour hides; the border of a region is all colour."""

GAP_PX = 4
"""Between pictures that stand side by side."""

_GOLDEN = 0.618034  # of a turn: colours that follow each other are far apart, however many
_WRONG = np.array([230, 30, 40], dtype=np.float32)
_SMALLEST_SIDE = 160  # smaller pictures are enlarged, or nobody sees a border


def colour(number: int) -> tuple[int, int, int]:
    """The colour of class or object ``number``, counted from 0."""
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1.0, 0.75, 1.0 - 0.2 * (number % 3))
    return round(red * 255), round(green * 255), round(blue * 255)


def painted(
    image: UInt8[np.ndarray, "H W C"],
    numbers: Int32[np.ndarray, "H W"],
    colours: Sequence[tuple[int, int, int] | None],
) -> UInt8[np.ndarray, "H2 W2 3"]:
    """A picture with its regions in colour, each with a border.

    Args:
        image: grey or RGB.
        numbers: of the region that each pixel belongs to; what has no colour is left as it is.
        colours: of each number; None: no colour.
    """
    image, numbers = _enlarged(image, numbers)
    drawn = _rgb(image).astype(np.float32)
    border = _is_border(numbers)
    for number, tint in enumerate(colours):
        if tint is not None:
            here = numbers == number
            inside = here & ~border
            drawn[inside] += COVER * (np.array(tint, np.float32) - drawn[inside])
            drawn[here & border] = tint
    return np.rint(drawn).astype(np.uint8)


def marked(
    image: UInt8[np.ndarray, "H W C"], is_wrong: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H2 W2 3"]:
    """A picture in grey, with the pixels that are wrong in red."""
    image, wrong = _enlarged(image, is_wrong.astype(np.int32))
    grey = _rgb(image).mean(axis=2, keepdims=True).repeat(3, axis=2) * 0.8
    return np.rint(np.where(wrong[:, :, None] > 0, _WRONG, grey)).astype(np.uint8)


def side_by_side(pictures: Sequence[UInt8[np.ndarray, "H _W 3"]]) -> UInt8[np.ndarray, "H W 3"]:
    """Pictures of one height in a row, white between them."""
    gap = np.full((pictures[0].shape[0], GAP_PX, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(parts, axis=1)


def save_mask(
    numbers: Int32[np.ndarray, "H W"],
    path: Path,
    *,
    colours: Sequence[tuple[int, int, int] | None],
) -> None:
    """Writes a map as a PNG whose pixels are its numbers, in the colours of ``painted``.

    Classes and up to 254 objects as 8 bits with a palette, so that a viewer shows colours and a
    program reads numbers; what is unknown is 255. More objects as 16 bits, unknown 65535.
    """
    if numbers.max(initial=0) > IGNORED_CLASS:
        Image.fromarray(numbers.astype(np.uint16)).save(path)
        return
    image = Image.fromarray(numbers.astype(np.uint8))  # -1 becomes 255
    rest = [(255, 255, 255)] * (
        256 - len(colours)
    )  # a shorter palette would be written in fewer bits
    image.putpalette([part for tint in (*colours[:256], *rest) for part in tint or (0, 0, 0)])
    image.save(path)


def _is_border(numbers: Int32[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Pixels with another region above, below or beside them."""
    padded = np.pad(numbers, 1, mode="edge")
    around = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    return np.any([numbers != each for each in around], axis=0)


def _enlarged(
    image: UInt8[np.ndarray, "H W C"], numbers: Int32[np.ndarray, "H W"]
) -> tuple[np.ndarray, np.ndarray]:
    height, width = numbers.shape
    factor = enlargement(width, height, smallest=_SMALLEST_SIDE)
    if factor == 1:
        return image, numbers
    image, numbers = (
        each.repeat(factor, axis=0).repeat(factor, axis=1) for each in (image, numbers)
    )
    return image, numbers


def _rgb(image: UInt8[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W 3"]:
    return image.repeat(3, axis=2) if image.shape[2] == 1 else image
