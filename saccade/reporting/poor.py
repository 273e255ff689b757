"""Poor pictures on the page: a table of what the model still knows, and what it was shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from saccade.data.poor import STRENGTHS, make_poor
from saccade.reporting.pictures import InlinePicture, inline_picture
from saccade.reporting.records import RunRecords
from saccade.reporting.wording import figure_name, number, things_of

CELL = 96
"""Pixels a side of one picture on the sheet."""

_MARGIN, _LABEL = 4, 120


class PoorRow(NamedTuple):
    """One kind: figures as text, each with its share of the figure on good pictures, 0 to 1."""

    kind: str
    is_like_augmentation: bool
    cells: list[tuple[str, float]]
    mean: str


class PoorSection(NamedTuple):
    """The section.

    Attributes:
        metric, clean, mean, mean_new: the figure's name, and what it is on good and poor pictures.
        n, things: how many of what.
        rows: one for each kind.
        sheet: one picture in all of them; None where it is gone.
    """

    metric: str
    clean: str
    mean: str
    mean_new: str
    n: int
    things: str
    rows: list[PoorRow]
    sheet: InlinePicture | None


def poor(records: RunRecords) -> PoorSection | None:
    """What ``saccade stress`` left; None where it was not called."""
    found = records.poor
    if not found:
        return None
    clean = found["clean"]["value"]
    return PoorSection(
        metric=figure_name(found["metric"]),
        clean=number(clean),
        mean=number(found["mean"]),
        mean_new=number(found["mean_new"]),
        n=int(found["n"]),
        things=things_of(records.job),
        rows=[
            PoorRow(
                each["kind"],
                each["is_like_augmentation"],
                [
                    (number(value), min(1.0, max(0.0, value / clean)) if clean else 0.0)
                    for value in each["values"]
                ],
                number(sum(each["values"]) / len(each["values"])),
            )
            for each in found["kinds"]
        ],
        sheet=inline_picture(records.path, "pictures/poor.png"),
    )


def draw_sheet(picture: UInt8[np.ndarray, "H W C"], kinds: Sequence[str], path: Path) -> None:
    """One picture in all kinds, a row each, strengths from left to right.

    Args:
        picture: as it is.
        kinds: names of ``saccade.data.poor.KINDS``.
        path: the PNG to write.
    """
    pitch = CELL + _MARGIN
    sheet = Image.new("RGB", (_LABEL + (1 + len(STRENGTHS)) * pitch, len(kinds) * pitch), "white")
    drawing = ImageDraw.Draw(sheet)
    for row, kind in enumerate(kinds):
        poor = [make_poor(picture, kind, strength, seed=0) for strength in STRENGTHS]
        drawing.text((6, row * pitch + CELL / 2 - 6), kind, fill="black", font_size=13)
        for column, each in enumerate([picture, *poor]):
            image = Image.fromarray(each).convert("RGB")
            image.thumbnail((CELL, CELL))
            if max(image.size) < CELL:  # small pictures in whole pixels
                times = CELL // max(image.size)
                image = image.resize((image.width * times, image.height * times), 0)
            sheet.paste(image, (_LABEL + column * pitch, row * pitch))
    sheet.save(path)
