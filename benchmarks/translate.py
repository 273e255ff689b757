"""Translation: the flow beside the one-step regression of the same network.

    python -m benchmarks translate                    trains what is missing, see --help
    python -m benchmarks translate --collect          what there is to results/translate.json

Both are trained in one run on the same batches, and both are judged on the same test pairs by the
run's own observer. Each training is of a fixed number of steps.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.flow_sources import unzip_facades, write_digits, write_tinted
from benchmarks.harness import saccade
from benchmarks.ledger import Training, cpu_seconds, run_cases


@dataclass(frozen=True)
class Case:
    """One training; ``settings`` say what is to be undone."""

    source: str
    model: str
    steps: int
    settings: tuple[str, ...]


DENOISE = ("task.edit.kind=denoise", "data.test_fraction=0.4")  # 719 digits are for the test
CASES = {
    "colourise": Case("tinted", "vit-pico4", 1000, ("task.edit.kind=colourise",)),
    "denoise": Case("digits", "vit-pico4", 1500, (*DENOISE, "task.edit.noise=1.0")),
    # As a control: with so little noise there is hardly a second answer.
    "denoise_little": Case("digits", "vit-pico4", 1500, (*DENOISE, "task.edit.noise=0.4")),
    "facades": Case("facades", "vit-pico8", 1000, ("data.image_size=64", "data.batch_size=32")),
}


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    run_cases(arguments, benchmark="translate", cases=CASES, train=train_case)


def train_case(training: Training) -> dict[str, Any]:
    """Trains flow and baseline; the run stays in the work folder, with its pictures."""
    case, seed, work = CASES[training.case], training.seed, training.work
    run = work / f"{training.case}-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    before = cpu_seconds()
    trained, seconds = saccade(
        "train", str(_source(case.source, work)), "--job", "translate", "--out", str(run),
        "--model", case.model, "--steps", str(case.steps), "--seed", str(seed),
        *(f"--set={setting}" for setting in case.settings),
    )  # fmt: skip
    table = json.loads((run / "evaluation" / "test.json").read_text())["tables"][0]
    return {
        "n": trained["n"],
        **trained["metrics"],
        "rows": table["rows"],
        "cpu_seconds": round(cpu_seconds() - before, 1),
        "seconds": round(seconds, 1),
    }


def _source(name: str, work: Path) -> Path:
    place = work / name
    if name == "facades":
        return place / "right-left" if place.exists() else unzip_facades(place)
    if place.exists():
        return place
    write = write_tinted if name == "tinted" else write_digits
    return write(place, side=16)
