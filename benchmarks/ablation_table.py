"""The runs of the ablation as means, differences with their intervals, and Markdown.

A difference is taken seed by seed between a case and the baseline of its group, which had the same
order of pictures. Three differences say little about how far they scatter (t = 4.3, and now and
then three that agree by chance), so the scatter is estimated from the whole group: what is left of
its accuracies when the means of the cases and of the seeds are taken out, as in an analysis of
variance of randomised blocks.
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
        for group in GROUPS:
            found += _summarise_group([row for row in rows if row["data"] == data], data, group)
    return found


def differences(
    figures: Mapping[str, Mapping[int, float]], baseline: str
) -> dict[str, dict[str, Any]]:
    """How far each case is from the baseline, with a 95 % interval.

    With two cases this is the paired t interval.

    Args:
        figures: of each case, by seed. Seeds that not all cases have are left out.
        baseline: one of the cases.

    Returns:
        For each other case ``mean``, ``low``, ``high`` and ``n``, the seeds that were compared; of
        one seed there is no interval, of none no mean.
    """
    seeds = sorted(set.intersection(*(set(of) for of in figures.values())))
    n, others = len(seeds), [case for case in figures if case != baseline]
    if n == 0:
        return {case: {"mean": None, "low": None, "high": None, "n": 0} for case in others}
    means = {case: statistics.fmean(of[s] for s in seeds) for case, of in figures.items()}
    gains = {case: means[case] - means[baseline] for case in others}
    if n == 1:
        return {case: {"mean": gains[case], "low": None, "high": None, "n": 1} for case in others}
    half = _half_width(figures, means, seeds)
    return {
        case: {"mean": gain, "low": gain - half, "high": gain + half, "n": n}
        for case, gain in gains.items()
    }


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
        cases = {
            case: rows
            for case in (group.baseline, *group.others)
            if any(rows := [summary.get((group.title, data, case)) for data in TITLES])
        }
        if len(cases) < 2:
            continue
        lines += [f"**{group.title}**", "", _cells(head), _cells(["---"] * len(head))]
        lines += [_cells(_line(case, rows)) for case, rows in cases.items()]
        lines.append("")
    return "\n".join(lines)


def _summarise_group(rows: Sequence[Row], data: str, group: Group) -> list[dict[str, Any]]:
    runs = {
        case: of
        for case in (group.baseline, *group.others)
        if (of := [row for row in rows if row["case"] == case])
    }
    figures = {case: {row["seed"]: row["top1"] for row in of} for case, of in runs.items()}
    gains = differences(figures, group.baseline) if group.baseline in figures else {}
    return [
        {
            "group": group.title,
            "data": data,
            "case": case,
            "n": len(of),
            "top1": spread(list(figures[case].values())),
            "steps": round(statistics.fmean(row["steps"] for row in of)),
            "images_per_second": round(statistics.fmean(row["images_per_second"] for row in of)),
            "num_parameters": of[0]["num_parameters"],
            "difference": gains.get(case),
        }
        for case, of in runs.items()
    ]


def _half_width(
    figures: Mapping[str, Mapping[int, float]], means: Mapping[str, float], seeds: Sequence[int]
) -> float:
    """Half the interval of a difference of two cases."""
    overall = statistics.fmean(means.values())
    blocks = {s: statistics.fmean(of[s] for of in figures.values()) for s in seeds}
    left = [
        of[s] - means[case] - blocks[s] + overall for case, of in figures.items() for s in seeds
    ]
    freedom = (len(figures) - 1) * (len(seeds) - 1)
    variance = sum(each**2 for each in left) / freedom
    return float(stats.t.ppf(0.975, freedom)) * math.sqrt(2 * variance / len(seeds))


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
