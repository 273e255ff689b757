"""The runs of the ablation as means, differences with their intervals, and Markdown.

A difference is taken seed by seed between a case and the baseline of its group, which saw the same
pictures in the same order; its interval is Student's t over those few differences.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from scipy import stats

from benchmarks.ablation_cases import GROUPS, Group
from benchmarks.harness import spread

TITLES = {"fashion": "Fashion-MNIST", "cifar10": "CIFAR-10"}

Row = Mapping[str, Any]


def summarise(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One row for each case of each group on each data set, the baseline first.

    Args:
        rows: the runs, as ``ablation.read_runs`` reads them.
    """
    found = []
    for data in TITLES:
        of_data = [row for row in rows if row["data"] == data]
        for group in GROUPS:
            for case in (group.baseline, *group.others):
                found += _summary(of_data, data, group, case)
    return found


def paired_difference(ours: Mapping[int, float], theirs: Mapping[int, float]) -> dict[str, Any]:
    """The mean of ``ours - theirs`` over the seeds that both have, with a 95 % interval.

    Args:
        ours, theirs: a figure for each seed.

    Returns:
        ``mean``, ``low``, ``high`` and ``n``; of one seed there is no interval, of none no mean.
    """
    differences = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    n = len(differences)
    if n < 2:
        return {"mean": differences[0] if n else None, "low": None, "high": None, "n": n}
    mean = statistics.fmean(differences)
    half = float(stats.t.ppf(0.975, n - 1)) * statistics.stdev(differences) / math.sqrt(n)
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": n}


def markdown(document: Mapping[str, Any]) -> str:
    """A table for each group; accuracies in percent, differences in points.

    Args:
        document: what ``results/ablation.json`` holds.
    """
    summary = {(row["group"], row["data"], row["case"]): row for row in document["summary"]}
    head = ["case", *(text for title in TITLES.values() for text in (title, "difference"))]
    head += ["steps", "pictures a second", "parameters"]
    lines = []
    for group in GROUPS:
        lines += [f"**{group.title}**", "", _cells(head), _cells(["---"] * len(head))]
        for case in (group.baseline, *group.others):
            rows = [summary.get((group.title, data, case)) for data in TITLES]
            if any(rows):
                lines.append(_cells(_line(case, rows)))
        lines.append("")
    return "\n".join(lines)


def _summary(rows: Sequence[Row], data: str, group: Group, case: str) -> list[dict[str, Any]]:
    """One row, or none where the case has not been run."""
    ours, theirs = (
        {row["seed"]: row["top1"] for row in rows if row["case"] == name}
        for name in (case, group.baseline)
    )
    if not ours:
        return []
    mine = [row for row in rows if row["case"] == case]
    return [
        {
            "group": group.title,
            "data": data,
            "case": case,
            "n": len(mine),
            "top1": spread(list(ours.values())),
            "steps": round(statistics.fmean(row["steps"] for row in mine)),
            "images_per_second": round(statistics.fmean(row["images_per_second"] for row in mine)),
            "num_parameters": mine[0]["num_parameters"],
            "difference": None if case == group.baseline else paired_difference(ours, theirs),
        }
    ]


def _line(case: str, rows: Sequence[Row | None]) -> list[str]:
    there = [row for row in rows if row is not None]
    cells = [case]
    for row in rows:
        cells += ["", ""] if row is None else [_accuracy(row["top1"]), _gain(row["difference"])]
    cells.append(" / ".join(f"{row['steps']:,}" for row in there))
    cells.append(" / ".join(f"{row['images_per_second']:,}" for row in there))
    cells.append(f"{there[-1]['num_parameters']:,}")
    return cells


def _accuracy(top1: Mapping[str, float]) -> str:
    return f"{100 * top1['mean']:.1f} ± {100 * top1['std']:.1f}"


def _gain(difference: Mapping[str, Any] | None) -> str:
    """In bold where the interval leaves out zero."""
    if difference is None:
        return "baseline"
    if difference["n"] < 2:
        return "" if difference["n"] == 0 else f"{100 * difference['mean']:+.1f} (one seed)"
    mean, low, high = (100 * difference[key] for key in ("mean", "low", "high"))
    text = f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"
    return f"**{text}**" if low > 0 or high < 0 else text


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
