"""Sign-language digits, a class folder of photographs, in five minutes; a fifth is held out.

Each seed holds out another fifth.
"""

from collections.abc import Sequence

from benchmarks.harness import save, shared_data, spread, unzipped
from benchmarks.training import train_once


def run(seeds: Sequence[int]) -> None:
    """Trains once per seed."""
    with unzipped(shared_data("sign_digits") / "sign_language_digits.zip") as folder:
        rows = [train_once(["train", str(folder), "--budget", "5m"], seed) for seed in seeds]
    summary = {name: spread([row[name] for row in rows]) for name in ("top1", "ece", "seconds")}
    save("signs", command="python -m benchmarks signs", rows=rows, summary=summary)
