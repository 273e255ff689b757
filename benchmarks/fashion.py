"""Fashion-MNIST in ten minutes with the default of ``saccade train``; the official test set."""

from collections.abc import Sequence

from benchmarks.harness import save, shared_data, spread
from benchmarks.training import train_once


def run(seeds: Sequence[int]) -> None:
    """Trains once per seed."""
    source = str(shared_data("fashion-mnist"))
    rows = [train_once(["train", source, "--budget", "10m"], seed) for seed in seeds]
    summary = {name: spread([row[name] for row in rows]) for name in ("top1", "ece", "seconds")}
    save("fashion", command="python -m benchmarks fashion", rows=rows, summary=summary)
