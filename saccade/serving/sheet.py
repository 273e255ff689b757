"""Many small pictures as one large one."""

import numpy as np
from jaxtyping import UInt8

GAP_PX = 2
"""Between pictures, in pixels of the sheet."""

SMALLEST_SIDE_PX = 56
"""Smaller pictures are enlarged, each pixel to a square, so that they can be looked at."""

_PAPER = 255


def sheet(
    images: UInt8[np.ndarray, "N C H W"], *, columns: int
) -> UInt8[np.ndarray, "height width C"]:
    """The pictures row by row, white between them and where the last row ends early."""
    count, channels, height, width = images.shape
    factor = max(1, -(-SMALLEST_SIDE_PX // min(height, width)))
    large = images.repeat(factor, axis=2).repeat(factor, axis=3).transpose(0, 2, 3, 1)
    step_y, step_x = height * factor + GAP_PX, width * factor + GAP_PX
    rows = -(-count // columns)
    paper = np.full((rows * step_y - GAP_PX, columns * step_x - GAP_PX, channels), _PAPER, np.uint8)
    for k, image in enumerate(large):
        top, left = k // columns * step_y, k % columns * step_x
        paper[top : top + height * factor, left : left + width * factor] = image
    return paper
