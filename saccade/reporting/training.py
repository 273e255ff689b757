"""How training went: the curves, and what the log has to say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from saccade.reporting.figures import Line, curves
from saccade.reporting.records import Json, RunRecords
from saccade.reporting.wording import Number, capitalised, count, figure_name


class Chart(NamedTuple):
    """One chart of the grid.

    Attributes:
        title: what it shows.
        svg: the chart.
        legend: ink and meaning, where there is more than one curve.
        note: what to keep in mind.
    """

    title: str
    svg: Markup
    legend: list[tuple[str, str]]
    note: str


@dataclass(frozen=True, kw_only=True)
class Training:
    """The section on training.

    Attributes:
        charts: those that have something to show.
        warnings: what went wrong.
        notes: the log's own notes, with their steps.
    """

    charts: list[Chart]
    warnings: list[str]
    notes: list[str]


MAX_CHARTS = 8
"""Figures of a job that are drawn, those of training first."""

_OF_THE_RUN = {"images_per_second", "step_seconds", "data_wait", "memory_gib", "mfu"}
_NOT_CHARTED = {"step", "epoch", "seconds", "lr", "grad_norm", "time"} | _OF_THE_RUN


def training(records: RunRecords) -> Training:
    """Draws the curves."""
    log, evaluations = records.training, records.evaluations
    on_val = [line | line.get("metrics", {}) for line in evaluations]
    if records.job != "classify":
        candidates = _charts_of_any_job(log, on_val)
    else:
        candidates = _charts_of_a_classifier(records, log, on_val)
    candidates += _charts_of_the_run(log, things=records.things)
    return Training(
        charts=[chart for chart in candidates if chart],
        warnings=_warnings(log),
        notes=[f"Step {count(n.get('step', 0))}: {n.get('text', '')}" for n in records.notes],
    )


def _charts_of_a_classifier(
    records: RunRecords, log: Sequence[Json], on_val: Sequence[Json]
) -> list[Chart | None]:
    return [
        _chart(
            "Loss",
            "loss (nats)",
            [_line(log, "loss", "blue"), _line(on_val, "log_loss", "orange", kind="dots")],
            note=_loss_note(records.config),
        ),
        _chart(
            "Accuracy",
            "share named right",
            [_line(log, "top1", "blue"), _line(on_val, "top1", "orange", kind="dots")],
            y_range=(0.0, 1.0),
        ),
    ]


def _charts_of_any_job(log: Sequence[Json], on_val: Sequence[Json]) -> list[Chart | None]:
    """One chart for each figure of the job, in training, in validation or in both."""
    names = dict.fromkeys(
        name
        for line in (*log, *(line.get("metrics", {}) for line in on_val))
        for name, value in line.items()
        if name not in _NOT_CHARTED and isinstance(value, Number)
    )
    return [
        _chart(
            capitalised(figure_name(name)),
            figure_name(name),
            [_line(log, name, "blue"), _line(on_val, name, "orange", kind="dots")],
        )
        for name in list(names)[:MAX_CHARTS]
    ]


def _charts_of_the_run(log: Sequence[Json], *, things: str) -> list[Chart | None]:
    return [
        _chart("Learning rate", "learning rate", [_line(log, "lr", "blue", kind="exact")]),
        _chart("Throughput", f"{things} per second", [_line(log, "images_per_second", "blue")]),
    ]


def _line(
    log: Sequence[Json], name: str, ink: str, *, kind: Literal["exact", "noisy", "dots"] = "noisy"
) -> Line:
    points = [line for line in log if name in line]
    return Line(_column(points, "step"), _column(points, name), ink, kind)


def _column(log: Sequence[Json], name: str) -> Float[np.ndarray, " n"]:
    values = (line[name] for line in log)
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64)


def _chart(
    title: str,
    y_label: str,
    lines: list[Line],
    *,
    y_range: tuple[float, float] = (0.0, 0.0),
    note: str = "",
) -> Chart | None:
    shown = [line for line in lines if np.isfinite(line.y).any()]
    if not shown:
        return None
    words = {"blue": "training, with augmentation", "orange": "validation, averaged weights"}
    svg = curves(shown, title=title, x_label="step", y_label=y_label, y_range=y_range)
    return Chart(
        title=title,
        svg=svg,
        legend=[(line.ink, words[line.ink]) for line in shown] if len(lines) > 1 else [],
        note=note,
    )


def _loss_note(config: Json) -> str:
    smoothing = config.get("optim", {}).get("label_smoothing", 0)
    if config.get("teach", {}).get("method", "none") != "none" and config.get("job") == "classify":
        return (
            "The training loss is that of what the teacher says, blended with that of labels where "
            "they teach too; the validation loss is that of labels alone."
        )
    if not smoothing:
        return ""
    return (
        f"The training loss includes label smoothing of {smoothing:g}, so it cannot reach 0 and "
        "may lie above the validation loss."
    )


def _warnings(log: Sequence[Json]) -> list[str]:
    def is_broken(line: Json) -> bool:
        return "loss" in line and not (line["loss"] is not None and math.isfinite(line["loss"]))

    broken = [line["step"] for line in log if is_broken(line)]
    if not broken:
        return []
    return [
        f"The loss was not a number in {count(len(broken))} of {count(len(log))} records, first at "
        f"step {count(broken[0])}; the curves have gaps there. A lower optim.lr usually helps."
    ]
