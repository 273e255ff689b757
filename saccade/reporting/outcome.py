"""What a model of any job came to: its figures, its tables and its pictures.

``evaluation/<split>.json`` of a job other than classification holds, beside ``n`` and ``metrics``,

    headline  {"metric": "ap50", "words": "average precision at 50 % overlap"}, and "unit":
              "distance" where a number from 0 to 1 is no share
    tables    [{"title": ..., "text": ..., "columns": [...], "rows": [[...], ...]}], drawn where
              "is_curve" says that its two columns are shares
    notes     sentences about the figures, if there are any

and ``pictures/index.json`` holds galleries by name:

    {"found": {"title": ..., "text": ..., "entries": [{"file": ..., "caption": ..., "path": ...}]}}

Cells are text, numbers or null. A title says what is shown, a text how to read it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from saccade.reporting.figures import Line, curves
from saccade.reporting.pictures import InlinePicture, inline_picture
from saccade.reporting.records import Json, RunRecords
from saccade.reporting.wording import NOTHING, Number, count, figure_name, number

MAX_SHOWN = 48
"""Pictures of a gallery on the page."""


class Figures(NamedTuple):
    """One line of the table of all figures: as text, with the ends of the 95 % interval."""

    name: str
    value: str
    low: str
    high: str


class Table(NamedTuple):
    """A table of a job.

    Attributes:
        title: what is shown.
        text: how to read it.
        columns: their heads, and whether numbers stand under them.
        rows: cells as text, and whether each is a number.
        chart: the rows as a curve, to be shown in their place.
    """

    title: str
    text: str
    columns: list[tuple[str, bool]]
    rows: list[list[tuple[str, bool]]]
    chart: Markup | None


class Shown(NamedTuple):
    """A picture of a gallery."""

    picture: InlinePicture
    caption: str
    path: str


class Gallery(NamedTuple):
    """Pictures that belong together.

    Attributes:
        name: for links.
        title, text: what is shown, and how to read it.
        width: ``widest`` where each picture is a strip that needs the whole page, ``wider`` where
            it needs half of it (four pictures in a row), ``wide`` where it needs a third; else
            empty.
        pictures: what there is.
    """

    name: str
    title: str
    text: str
    width: str
    pictures: list[Shown]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The sections that every job but classification fills.

    Attributes:
        n: pictures judged; 0 before the first evaluation.
        split: which of them.
        things: what was judged: pictures or clips.
        figures: all of them.
        notes: sentences about them.
        tables: of the job.
        galleries: of the job.
    """

    n: int
    split: str
    things: str
    figures: list[Figures]
    notes: list[str]
    tables: list[Table]
    galleries: list[Gallery]


def outcome(records: RunRecords) -> Outcome | None:
    """Puts them together; None for a classifier, which has pages of its own."""
    if records.job == "classify":
        return None
    split = records.final_split
    result = records.results[split] if split else {}
    words = {"test": "test", "val": "validation", "train": "training"}
    return Outcome(
        n=int(result.get("n", 0)),
        split=words.get(split or "", ""),
        things=records.things,
        figures=[_figures(name, estimate) for name, estimate in result.get("metrics", {}).items()],
        notes=[str(note) for note in result.get("notes", [])],
        tables=[table_of(each) for each in result.get("tables", [])],
        galleries=[_gallery(records, name, gallery) for name, gallery in records.galleries.items()],
    )


def _figures(name: str, estimate: Json) -> Figures:
    value, low, high = (number(estimate[key]) for key in ("value", "low", "high"))
    if estimate["low"] == estimate["high"]:  # nobody resampled it
        low = high = NOTHING
    return Figures(figure_name(name), value, low, high)


def table_of(table: Json) -> Table:
    """A table of a job, its cells as text."""
    rows = [[_cell(value) for value in row] for row in table.get("rows", [])]
    return Table(
        title=str(table.get("title", "")),
        text=str(table.get("text", "")),
        columns=[
            (str(column), k > 0 and bool(rows) and all(row[k][1] for row in rows))
            for k, column in enumerate(table.get("columns", []))
        ],
        rows=rows,
        chart=_chart(table) if table.get("is_curve") else None,
    )


def _chart(table: Json) -> Markup | None:
    points = np.array(table["rows"], dtype=np.float64)  # None becomes a gap
    if not np.isfinite(points).any():
        return None
    line = Line(points[:, 0], points[:, 1], "blue", "dots")
    x_label, y_label = table["columns"]
    title = str(table["title"])
    return curves([line], title=title, x_label=x_label, y_label=y_label, y_range=(0.0, 1.0))


def _cell(value: object) -> tuple[str, bool]:
    if value is None:
        return NOTHING, True
    if isinstance(value, bool):
        return ("yes" if value else "no"), False
    if isinstance(value, int):
        return count(value), True
    return (number(value), True) if isinstance(value, Number) else (str(value), False)


def _gallery(records: RunRecords, name: str, gallery: Json) -> Gallery:
    pictures = []
    for entry in gallery.get("entries", [])[:MAX_SHOWN]:
        picture = inline_picture(records.path, entry.get("file"))
        if picture:
            caption, path = str(entry.get("caption", "")), str(entry.get("path", ""))
            pictures.append(Shown(picture, caption, path))
    title, text = str(gallery.get("title", name)), str(gallery.get("text", ""))
    return Gallery(name, title, text, _width([shown.picture for shown in pictures]), pictures)


def _width(pictures: list[InlinePicture]) -> str:
    aspect = max((picture.width / picture.height for picture in pictures), default=1.0)
    for least, width in ((5, "widest"), (2.5, "wider"), (1.6, "wide")):
        if aspect > least:
            return width
    return ""
