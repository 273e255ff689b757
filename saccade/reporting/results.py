"""Where the model is right and wrong: confusion, classes, calibration."""

import io
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64
from markupsafe import Markup
from PIL import Image

from saccade.reporting.figures import reliability
from saccade.reporting.pictures import InlinePicture, inline_png
from saccade.reporting.records import Json, RunRecords
from saccade.reporting.trust import Trust, trust
from saccade.reporting.wording import Number, count, number, percent

MAX_NUMBERED_CLASSES = 20  # more classes are a heat map without numbers
MAX_CONFUSIONS = 12
_RIGHT_RGB, _WRONG_RGB = (58, 124, 184), (213, 106, 30)


class Cell(NamedTuple):
    """One cell of the confusion matrix.

    Attributes:
        count: pictures.
        colour: CSS colour, the stronger the larger the share of the row.
        is_strong: so strong that text on it must be white.
        hint: the cell in words.
    """

    count: int
    colour: str
    is_strong: bool
    hint: str


class Confusion(NamedTuple):
    """A pair of classes that the model mixes up.

    Attributes:
        label: the true class.
        predicted: what the model said.
        count: how often.
        total: pictures of the true class.
        share: of those, as text.
    """

    label: str
    predicted: str
    count: int
    total: int
    share: str


class ClassFigures(NamedTuple):
    """One row of the per-class table: each figure as text and, for its bar, in percent."""

    name: str
    n: int
    precision: tuple[str, float]
    recall: tuple[str, float]
    f1: tuple[str, float]


@dataclass(frozen=True, kw_only=True)
class Results:
    """The sections on the evaluation of one split.

    Attributes:
        split: ``test`` or ``validation``.
        n, num_wrong: pictures, and how many of them were named wrong.
        names: the K classes.
        matrix: rows of cells; empty when there are more than 20 classes.
        heat_map: a picture of the matrix instead, when there are more.
        confusions: the pairs mixed up most, most first.
        classes: one row per class, the worst first.
        reliability: the calibration chart.
        calibration: what it says, in a sentence.
        trust: the temperature, and what refusing buys.
    """

    split: str
    n: int
    num_wrong: int
    names: list[str]
    matrix: list[tuple[str, list[Cell]]]
    heat_map: InlinePicture | None
    confusions: list[Confusion]
    classes: list[ClassFigures]
    reliability: Markup | None
    calibration: str
    trust: Trust


def results(records: RunRecords) -> Results | None:
    """Puts the evaluation together; None before the first."""
    split = records.final_split
    if split is None:
        return None
    found = records.results[split]
    names = records.class_names or [str(row["name"]) for row in found.get("per_class", [])]
    confusion = np.array(found.get("confusion", []), dtype=np.int64).reshape(-1, len(names))
    is_numbered = 0 < len(names) <= MAX_NUMBERED_CLASSES
    bins = found.get("reliability", [])
    return Results(
        split={"test": "test", "val": "validation", "train": "training"}[split],
        n=int(found["n"]),
        num_wrong=int(confusion.sum() - np.trace(confusion)),
        names=names,
        matrix=_matrix(names, confusion) if is_numbered else [],
        heat_map=None if is_numbered or not len(confusion) else _heat_map(confusion),
        confusions=_confusions(names, confusion),
        classes=_classes(found.get("per_class", [])),
        reliability=_reliability(bins) if bins else None,
        calibration=_calibration(bins, found) if bins else "",
        trust=trust(found),
    )


def _matrix(names: list[str], confusion: Int64[np.ndarray, "R K"]) -> list[tuple[str, list[Cell]]]:
    rows = []
    for i, row in enumerate(confusion.tolist()):
        total = sum(row)
        cells = []
        for j, n in enumerate(row):
            share = n / total if total else 0.0
            alpha = _strength(share)
            rgb = ", ".join(map(str, _RIGHT_RGB if i == j else _WRONG_RGB))
            what = "named right" if i == j else f"taken for “{names[j]}”"
            hint = f"{n} of {total} pictures of “{names[i]}” {what} ({percent(share)})"
            cells.append(Cell(n, f"rgba({rgb}, {alpha:.2f})", alpha > 0.6, hint))
        rows.append((names[i], cells))
    return rows


def _strength(share: Number) -> float:
    """How strong the colour of a cell is; the root makes single mistakes visible."""
    return math.sqrt(share) * 0.95


def _heat_map(confusion: Int64[np.ndarray, "R K"]) -> InlinePicture | None:
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    pixels = np.zeros((*confusion.shape, 4), np.uint8)
    pixels[:, :, :3] = _WRONG_RGB
    np.einsum("iic->ic", pixels)[:, :3] = _RIGHT_RGB
    pixels[:, :, 3] = np.rint(np.sqrt(shares) * 0.95 * 255)
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    return inline_png(png.getvalue())


def _confusions(names: list[str], confusion: Int64[np.ndarray, "R K"]) -> list[Confusion]:
    totals = confusion.sum(axis=1)
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MAX_CONFUSIONS]
    found = []
    for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if wrong[i, j]:
            n, total = int(wrong[i, j]), int(totals[i])
            found.append(Confusion(names[i], names[j], n, total, percent(n / total)))
    return found


def _classes(rows: list[Json]) -> list[ClassFigures]:
    def figure(value: Number | None) -> tuple[str, float]:
        return number(value), 100.0 * (value or 0)

    ordered = sorted(rows, key=lambda row: (row["f1"] is None, row["f1"] or 0.0))
    return [
        ClassFigures(
            str(row["name"]),
            int(row["n"]),
            figure(row["precision"]),
            figure(row["recall"]),
            figure(row["f1"]),
        )
        for row in ordered
    ]


def _reliability(bins: list[Json]) -> Markup:
    return reliability(
        [b["low"] for b in bins] + [bins[-1]["high"]],
        [b["count"] for b in bins],
        [(b["confidence"], b["accuracy"], b["count"]) for b in bins if b["count"]],
        title="Reliability diagram",
    )


def _calibration(bins: list[Json], result: Json) -> str:
    filled = [b for b in bins if b["count"]]
    n = sum(b["count"] for b in filled)
    confidence = sum(b["count"] * b["confidence"] for b in filled) / n
    accuracy = sum(b["count"] * b["accuracy"] for b in filled) / n
    said = (
        f"On average the model gave its answers a probability of {percent(confidence)}, and "
        f"{percent(accuracy)} of them were right"
    )
    top1 = result.get("metrics", {}).get("top1", {"low": accuracy, "high": accuracy})
    if top1["low"] <= confidence <= top1["high"]:
        return (
            f"{said}: over all {count(n)} pictures it is about as sure as it should be, within "
            "what chance explains. Single bins can still be off."
        )
    if confidence > accuracy:
        return (
            f"{said}: it is over-confident. Read its probabilities as too high by about "
            f"{100 * (confidence - accuracy):.1f} points."
        )
    return (
        f"{said}: it is under-confident. It is right more often than its probabilities say, by "
        f"about {100 * (accuracy - confidence):.1f} points; label smoothing often does this."
    )
