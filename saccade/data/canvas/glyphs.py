"""One written character in some size and slant, as a cloud of ink."""

import math

import numpy as np
from jaxtyping import Bool, Float32
from PIL import Image

from saccade.data.canvas.chance import Chance

INK = 0.5
"""A pixel with more ink than this belongs to the character."""

_TURN_DEGREES = 12.0
_SLANT = 0.2  # columns per row
_STRETCH = 0.2  # of the width


def draw_glyph(
    chance: Chance, character: Float32[np.ndarray, "h w"], *, size_px: float
) -> Float32[np.ndarray, "H W"]:
    """Draws a character a little turned, slanted and stretched.

    Args:
        chance: what is random about it.
        character: ink, 0 to 1; any size.
        size_px: how high (or wide, if it is wider) the ink comes out, about.

    Returns:
        Ink, 0 to 1, cut to the pixels above ``INK`` (at least one).
    """
    rows, columns = _bounds(character > _FAINT)
    tight = character[rows, columns]
    height, width = tight.shape
    scale = size_px / max(height, width)
    turn, slant, stretch = (chance.numbers(3) * 2 - 1).tolist()
    angle = math.radians(turn * _TURN_DEGREES)
    # From character to picture: stretch, slant, turn, enlarge.
    forward = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    forward = scale * forward @ np.array([[1 + stretch * _STRETCH, slant * _SLANT], [0, 1]])
    reach = np.abs(forward) @ np.array([width, height])
    out_width, out_height = (np.ceil(reach).astype(int) + 4).tolist()

    (a, b), (d, e) = np.linalg.inv(forward).tolist()
    middle_x, middle_y = out_width / 2, out_height / 2
    c = width / 2 + _MARGIN - a * middle_x - b * middle_y
    f = height / 2 + _MARGIN - d * middle_x - e * middle_y
    padded = Image.fromarray(np.pad(tight, _MARGIN))
    drawn = padded.transform(
        (out_width, out_height),
        Image.Transform.AFFINE,
        (a, b, c, d, e, f),
        resample=Image.Resampling.BICUBIC,
    )
    # Enlarged pixels are blurred; the edge of the ink is made about a pixel wide again.
    ink = ((np.asarray(drawn) - _THRESHOLD) * max(1.0, scale / 2) + INK).clip(0, 1)
    if not (ink > INK).any():
        ink[out_height // 2, out_width // 2] = 1
    return ink[_bounds(ink > INK)]


_MARGIN = 2  # pixels of nothing round a character, so that bicubic weights end on nothing
_THRESHOLD = 0.48  # of full ink: less fills the holes of an 8, more breaks thin strokes
_FAINT = 0.2


def _bounds(mask: Bool[np.ndarray, "h w"]) -> tuple[slice, slice]:
    """The rows and columns that hold something; everything if nothing does."""
    if not mask.any():
        return slice(None), slice(None)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
