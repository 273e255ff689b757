"""A contact sheet: a query and what was found for it, side by side."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from saccade.jobs.lettering import legible

CELL_PX = 96
"""The side of a picture on the sheet."""

BAR_PX = 26
"""Two lines of text under each picture."""

FRAME_PX = 4
GAP_PX = 6

Mark = Literal["query", "right", "wrong", "plain"]

_TEXT_PX = 10

MARKS: dict[Mark, str] = {
    "query": "#333333",
    "right": "#1a9641",
    "wrong": "#d7191c",
    "plain": "#cccccc",
}
"""The colour of each frame."""


class Cell(NamedTuple):
    """One picture on a sheet.

    Attributes:
        image: of any size, grey or RGB; None where it is gone.
        lines: of text under it, two at most.
        mark: what its frame says.
    """

    image: UInt8[np.ndarray, "H W C"] | None
    lines: tuple[str, ...]
    mark: Mark


def contact_sheet(rows: Sequence[Sequence[Cell]]) -> Image.Image:
    """Cells as one picture; rows may have different lengths."""
    columns = max((len(row) for row in rows), default=0)
    step = CELL_PX + 2 * FRAME_PX + GAP_PX
    height = step + BAR_PX
    sheet = Image.new("RGB", (columns * step + GAP_PX, len(rows) * height + GAP_PX), "white")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            sheet.paste(_drawn(cell), (GAP_PX + c * step, GAP_PX + r * height))
    return sheet


def _drawn(cell: Cell) -> Image.Image:
    side = CELL_PX + 2 * FRAME_PX
    drawn = Image.new("RGB", (side, side + BAR_PX), "white")
    colour = MARKS[cell.mark]
    draw = ImageDraw.Draw(drawn)
    draw.rectangle((0, 0, side - 1, side - 1), fill=colour)
    draw.rectangle((FRAME_PX, FRAME_PX, side - FRAME_PX - 1, side - FRAME_PX - 1), fill="#eeeeee")
    if cell.image is not None:
        picture = _fitted(cell.image)
        place = (FRAME_PX + (CELL_PX - picture.width) // 2,
                 FRAME_PX + (CELL_PX - picture.height) // 2)  # fmt: skip
        drawn.paste(picture, place)
    for number, line in enumerate(cell.lines[:2]):
        shown, font = legible(line, _TEXT_PX)
        draw.text((1, side + 1 + 12 * number), _cut(shown, font, side), fill="black", font=font)
    return drawn


def _fitted(image: UInt8[np.ndarray, "H W C"]) -> Image.Image:
    """The whole picture, as large as the cell allows; tiny ones keep their pixels visible."""
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).convert("RGB")
    factor = CELL_PX / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    kind = Image.Resampling.NEAREST if factor >= 2 else Image.Resampling.BICUBIC
    return picture.resize(size, kind)


def _cut(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The end of a text that is too long: of a path the end says most."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"…{text}") > width:
        text = text[1:]
    return f"…{text}"
