"""How far probabilities can be trusted, and what refusing to answer buys."""

from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from saccade.reporting.figures import Line, curves
from saccade.reporting.records import Json
from saccade.reporting.wording import capitalised, figure_name, number, percent

_MOVED = ("ece", "ece_equal_mass", "log_loss", "brier")
_SCORES = {
    "knn": "distance to the training pictures",
    "energy": "energy of the logits",
    "probability": "probability of the answer",
}


class Trust(NamedTuple):
    """The second half of the section on calibration; every cell is text.

    Attributes:
        temperature: what was done to the probabilities, in a sentence.
        moved: figure, without the temperature, with it and its interval.
        risk: the chart of mistakes over the share answered; None where an old run has none.
        area: what is under it, with its interval.
        rows: share refused, least probability answered, share of the rest that is wrong with its
            interval.
        limits: score, share that may be refused, share refused here, interval, top-1 of the rest.
    """

    temperature: str
    moved: list[tuple[str, str, str, str]]
    risk: Markup | None
    area: str
    rows: list[tuple[str, str, str]]
    limits: list[tuple[str, str, str, str, str]]


def trust(result: Json) -> Trust:
    """Puts it together from one evaluation."""
    metrics = result.get("metrics", {})
    before = (result.get("untempered") or {}).get("metrics", {})
    area = metrics.get("aurc")
    return Trust(
        temperature=_temperature(result),
        moved=[
            (
                capitalised(figure_name(name)),
                number(before[name]["value"], digits=4) if name in before else "",
                number(metrics[name]["value"], digits=4),
                _interval(metrics[name]),
            )
            for name in _MOVED
            if name in metrics
        ],
        risk=_risk(result.get("risk_curve", [])),
        area="" if area is None else f"{number(area['value'])} ({_interval(area, digits=3)})",
        rows=[
            (
                percent(row["refused"]),
                number(row["probability"]),
                f"{percent(row['wrong']['value'])} ({_shares(row['wrong'])})",
            )
            for row in result.get("risks", [])
        ],
        limits=[
            (
                _SCORES[row["by"]],
                percent(row["may"]),
                percent(row["refused"]["value"]),
                _shares(row["refused"]),
                percent(row["top1"]["value"]) if row["top1"] else "",
            )
            for row in result.get("refused", [])
        ],
    )


def _temperature(result: Json) -> str:
    value = result.get("temperature", 1.0)
    if value == 1:
        return "No temperature was fitted: too few pictures were held out, or the run is old."
    what = "less sure than it was" if value > 1 else "surer than it was"
    return (
        f"The logits are divided by a temperature of {number(value)}, found on validation "
        f"pictures, which makes the model {what}. The class it names stays the same."
    )


def _risk(points: list[list[float]]) -> Markup | None:
    if len(points) < 2:
        return None
    answered, wrong = np.array(points, dtype=np.float64).T
    lines = [
        Line(answered[[0, -1]], wrong[[-1, -1]], "orange", "exact"),
        Line(answered, wrong, "blue", "exact"),
    ]
    return curves(
        lines,
        title="Risk over coverage",
        x_label="share of pictures answered, surest first",
        y_label="share of these that is wrong",
        y_range=(0.0, 0.0),
    )


def _interval(figure: Json, *, digits: int = 4) -> str:
    return f"{number(figure['low'], digits=digits)} to {number(figure['high'], digits=digits)}"


def _shares(figure: Json) -> str:
    return f"{percent(figure['low'])} to {percent(figure['high'])}"
