"""Charts as SVG text that takes its colours and its font from the page around it."""

import io
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from saccade.reporting.wording import Number

# Drawn in these stand-ins, which become CSS variables: one file serves light and dark mode.
_INKS = {
    "text": "#010203",
    "grid": "#010204",
    "blue": "#010205",
    "orange": "#010206",
}

# Matplotlib has no other way to set these than its global table; rc_context puts them back.
_SVG_SETTINGS = {"svg.fonttype": "none"}
_FONT_POINTS = 8.0


class Line(NamedTuple):
    """One curve.

    Attributes:
        x: where, such as steps.
        y: how much; gaps where it is not a number.
        ink: ``blue`` or ``orange``.
        kind: ``exact`` (as it is), ``noisy`` (drawn faintly under its running mean when long) or
            ``dots`` (few points, each marked).
    """

    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    ink: str
    kind: Literal["exact", "noisy", "dots"]


def curves(
    lines: Sequence[Line], *, title: str, x_label: str, y_label: str, y_range: tuple[float, float]
) -> Markup:
    """Curves over one x axis.

    Args:
        lines: at least one of them with a finite point.
        title: for screen readers, and to make the chart's inner names its own.
        x_label, y_label: with units.
        y_range: the least that the y axis shows; more where the data needs it.

    Returns:
        ``<svg>`` for the page.
    """
    figure, axes = _canvas(x_label=x_label, y_label=y_label)
    for line in lines:
        ink = _INKS[line.ink]
        smooth = _running_mean(line.y) if line.kind == "noisy" else None
        if smooth is not None:
            axes.plot(line.x, line.y, color=ink, linewidth=0.8, alpha=0.35)
            axes.plot(line.x, smooth, color=ink, linewidth=1.4)
        else:
            marker = "o" if line.kind == "dots" or len(line.x) == 1 else ""
            axes.plot(line.x, line.y, color=ink, marker=marker, markersize=2.6, linewidth=1.4)
    every = np.concatenate([line.y[np.isfinite(line.y)] for line in lines])
    low, high = min(every.min(), y_range[0]), max(every.max(), y_range[1])
    margin = 0.04 * (high - low or 1.0)
    axes.set_ylim(low - (margin if low < y_range[0] else 0), high + margin)
    axes.set_xlim(left=0)
    return _to_svg(figure, title)


def reliability(
    edges: Sequence[Number],
    counts: Sequence[int],
    points: Sequence[tuple[Number, Number, int]],
    *,
    title: str,
) -> Markup:
    """Accuracy against confidence, over a histogram of confidence.

    Args:
        edges: of the bins, one more than ``counts``.
        counts: pictures per bin.
        points: confidence, accuracy and pictures of each bin that has some.
        title: for screen readers.

    Returns:
        ``<svg>`` for the page.
    """
    figure = Figure(figsize=(4.1, 4.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _style(upper, x_label="", y_label="accuracy (share right)")
    _style(lower, x_label="confidence (probability of the predicted class)", y_label="pictures")
    upper.plot([0, 1], [0, 1], color=_INKS["text"], linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
    for confidence, accuracy, _ in points:
        upper.plot([confidence] * 2, [confidence, accuracy], color=_INKS["orange"], linewidth=1.4)
    total = sum(counts)
    upper.scatter(
        [p[0] for p in points],
        [p[1] for p in points],
        s=[10 + 90 * p[2] / total for p in points],
        color=_INKS["blue"],
        zorder=3,
    )
    lower.bar(
        edges[:-1], counts, width=np.diff(edges), align="edge", color=_INKS["blue"], alpha=0.75
    )
    upper.set(xlim=(0, 1.02), ylim=(-0.03, 1.04))
    return _to_svg(figure, title)


def class_sizes(counts: Sequence[int], *, title: str) -> Markup:
    """Pictures per class, largest class first; for more classes than fit in a list.

    Args:
        counts: pictures of each class.
        title: for screen readers.

    Returns:
        ``<svg>`` for the page.
    """
    figure, axes = _canvas(x_label="classes, largest first", y_label="pictures")
    ordered = np.sort(np.asarray(counts))[::-1]
    axes.fill_between(
        np.arange(len(ordered) + 1),
        np.append(ordered, ordered[-1]),
        step="post",
        color=_INKS["blue"],
        alpha=0.75,
        linewidth=0,
    )
    axes.set_xlim(0, len(ordered))
    axes.set_ylim(bottom=0)
    return _to_svg(figure, title)


def _canvas(*, x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.0, 2.25), layout="constrained")
    axes = figure.subplots()
    _style(axes, x_label=x_label, y_label=y_label)
    return figure, axes


def _style(axes: Axes, *, x_label: str, y_label: str) -> None:
    axes.set_xlabel(x_label, color=_INKS["text"], fontsize=_FONT_POINTS)
    axes.set_ylabel(y_label, color=_INKS["text"], fontsize=_FONT_POINTS)
    axes.tick_params(colors=_INKS["text"], labelsize=_FONT_POINTS, length=0, pad=4)
    axes.grid(color=_INKS["grid"], linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_INKS["grid"])
    axes.locator_params(axis="both", nbins=5)
    axes.yaxis.get_offset_text().set(color=_INKS["text"], fontsize=_FONT_POINTS)


def _running_mean(y: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"] | None:
    """The centred mean over a twentieth of the curve; None for short curves or those with gaps."""
    if len(y) < 40 or not np.isfinite(y).all():
        return None
    reach = len(y) // 40
    sums = np.concatenate([[0.0], np.cumsum(y)])
    start = np.maximum(np.arange(len(y)) - reach, 0)
    end = np.minimum(np.arange(len(y)) + reach + 1, len(y))
    return (sums[end] - sums[start]) / (end - start)


def _to_svg(figure: Figure, title: str) -> Markup:
    """The figure as inline SVG; the same figure gives the same text."""
    target = io.StringIO()
    with mpl.rc_context({**_SVG_SETTINGS, "svg.hashsalt": title}):
        figure.savefig(
            target,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = target.getvalue()
    text = text[text.index("<svg") :]
    view_box = re.search(r'viewBox="([^"]+)"', text)
    assert view_box is not None
    body = text[text.index(">") + 1 : text.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.S)  # it would hold for the whole page
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # axes_1 and the like repeat from chart to chart
    body = body.replace("xlink:href", "href")
    body = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", body)
    body = re.sub(r"\s*\n\s*", " ", body)
    for name, stand_in in _INKS.items():
        body = body.replace(stand_in, f"var(--chart-{name})")
    return (
        Markup('<svg class="chart" viewBox="{}" role="img" aria-label="{}">').format(
            view_box.group(1), title
        )
        + Markup(body)  # safe: made here, from numbers and fixed words
        + Markup("</svg>")
    )
