"""Boxes drawn on pictures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from saccade.jobs.lettering import legible

_SHORTEST_SIDE, _LONGEST_SIDE = 240, 960  # pixels of a drawing: labels have to be read
_TEXT_PX = 11
_LABEL_PX = _TEXT_PX + 3
_COLOURS = (  # none near the pink of false alarms
    (230, 60, 50), (30, 110, 220), (20, 150, 70), (240, 150, 20), (150, 60, 190),
    (0, 160, 170), (40, 50, 110), (120, 90, 50), (100, 110, 125), (130, 160, 20),
)  # fmt: skip


class Drawn(NamedTuple):
    """A box to draw.

    Attributes:
        box_xyxy: left, top, right, bottom in the picture's pixels.
        text: beside it; empty for none.
        colour: red, green, blue.
        is_dashed: for what is true and not found.
    """

    box_xyxy: Sequence[float]
    text: str
    colour: tuple[int, int, int]
    is_dashed: bool = False


def class_colour(label: int) -> tuple[int, int, int]:
    """The colour of a class; they come again after ten."""
    return _COLOURS[label % len(_COLOURS)]


def draw_boxes(image: UInt8[np.ndarray, "H W C"], boxes: Sequence[Drawn]) -> Image.Image:
    """A picture with boxes on it, enlarged or reduced so that it can be looked at."""
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).convert("RGB")
    scale = max(1.0, _SHORTEST_SIDE / min(picture.size))
    scale = min(scale, _LONGEST_SIDE / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.NEAREST if scale > 2 else None)
    pen = ImageDraw.Draw(picture)
    for drawn in sorted(boxes, key=lambda each: not each.is_dashed):  # what is found on top
        corners = [coordinate * scale for coordinate in drawn.box_xyxy]
        if drawn.is_dashed:
            _dash(pen, corners, drawn.colour)
        else:
            pen.rectangle(corners, outline=drawn.colour, width=2)
    for drawn in boxes:
        if drawn.text:
            left, top, _, bottom = (coordinate * scale for coordinate in drawn.box_xyxy)
            # Of what is true and missed below the box: above it may stand what was found instead.
            end = min(bottom, size[1] - _LABEL_PX) + _LABEL_PX if drawn.is_dashed else top
            _write(pen, (left, end), drawn.text, drawn.colour, size)
    return picture


def _dash(pen: ImageDraw.ImageDraw, corners: Sequence[float], colour: tuple[int, int, int]) -> None:
    """A rectangle in dashes of the colour and white, which show on any ground."""
    left, top, right, bottom = corners
    edges = [
        ((left, top), (right, top)),
        ((right, top), (right, bottom)),
        ((right, bottom), (left, bottom)),
        ((left, bottom), (left, top)),
    ]
    for start, end in edges:
        length = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        num_dashes = max(1, round(length / 5))
        points = np.linspace(start, end, num_dashes + 1)
        for k in range(num_dashes):
            fill = colour if k % 2 == 0 else (255, 255, 255)
            pen.line([tuple(points[k].tolist()), tuple(points[k + 1].tolist())], fill=fill, width=2)


def _write(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    colour: tuple[int, int, int],
    size: tuple[int, int],
) -> None:
    """White on the colour, above a point where there is room, and always inside the picture."""
    text, font = legible(text, _TEXT_PX)
    width = pen.textlength(text, font=font) + 4
    left = min(max(at[0], 0), max(size[0] - width, 0))
    top = at[1] - _LABEL_PX if at[1] >= _LABEL_PX else at[1]
    top = min(max(top, 0), max(size[1] - _LABEL_PX, 0))
    pen.rectangle([left, top, left + width, top + _LABEL_PX], fill=colour)
    pen.text((left + 2, top + 1), text, fill="white", font=font)
