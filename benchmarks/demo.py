"""From installed package to report: accuracy of rag and vit on the demo's digits, and how long."""

from collections.abc import Sequence

from benchmarks.harness import save, spread
from benchmarks.training import train_once

FAMILIES = ("vit", "rag")


def run(seeds: Sequence[int]) -> None:
    """Runs the demo for each family and seed."""
    rows = [
        {"family": family, **train_once(["demo", "--model", family], seed)}
        for family in FAMILIES
        for seed in seeds
    ]
    summary = {
        family: {
            name: spread([row[name] for row in rows if row["family"] == family])
            for name in ("top1", "ece", "seconds")
        }
        for family in FAMILIES
    }
    save("demo", command="python -m benchmarks demo", rows=rows, summary=summary)
