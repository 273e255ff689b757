"""Blood cells (BCCD, 205 pictures to learn from, official split), from scratch and pretrained.

Pretraining sees the training pictures without their boxes; what it found out about cells goes into
the backbone, and the head starts afresh. Figures are those of the official test pictures, which
neither training nor the choice of the best weights sees.

    python -m benchmarks detect_cells                 trains what is missing, see --help
    python -m benchmarks detect_cells --collect       what there is to results/detect_cells.json
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import saccade, unzipped
from benchmarks.ledger import Training, cpu_seconds, run_cases

MODEL, SIDE = "rag-nano8", 192
STEPS, PRETRAIN_STEPS = 300, 150
LR = 1.4e-3  # of the recipe, for 16 pictures a step
FIGURES = ("ap", "ap50", "ap75", "ar_100", "precision", "recall", "detections_per_object")


CASES = {
    "from scratch": {"model": MODEL, "side": SIDE, "steps": STEPS},
    "pretrained": {"model": MODEL, "side": SIDE, "steps": STEPS, "pretrain": PRETRAIN_STEPS},
}


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    run_cases(arguments, benchmark="detect_cells", cases=CASES, train=train_case)


def train_case(training: Training) -> dict[str, Any]:
    """Trains once, after a pretraining in one of the cases."""
    (archive,) = sorted((training.shared / "bccd").glob("*.zip"))[:1]
    with unzipped(archive) as source, tempfile.TemporaryDirectory() as folder:
        start: tuple[str, ...] = ("--model", MODEL)
        before = cpu_seconds()
        if training.case == "pretrained":
            pretrained = _pretrained(source, Path(folder), training.seed)
            # The learning rate of a fresh start: weights of 205 pictures are no treasure to keep.
            start = ("--init", str(pretrained), "--set", f"optim.lr={LR}")
        spent = cpu_seconds() - before
        result, _ = saccade(
            *("train", str(source), "--job", "detect", "--out", f"{folder}/run", *start),
            *("--steps", str(STEPS), "--seed", str(training.seed)),
            *("--set", f"data.image_size={SIDE}"),
        )
    metrics = result["metrics"]
    return {
        "n": result["n"],
        **{name: metrics[name] for name in FIGURES if name in metrics},
        "pretrain_cpu_seconds": round(spent, 1),
    }


def _pretrained(source: Path, folder: Path, seed: int) -> Path:
    """A run that saw the training pictures alone: it would divide all pictures in its own way."""
    pictures, run = folder / "pictures", folder / "pretrained"
    pictures.mkdir()
    (layout,) = source.rglob("ImageSets")
    for name in (layout / "Main" / "train.txt").read_text().split():
        shutil.copy(layout.parent / "JPEGImages" / f"{name}.jpg", pictures)
    saccade(
        *("pretrain", str(pictures), "--out", str(run), "--model", MODEL),
        *("--steps", str(PRETRAIN_STEPS), "--seed", str(seed), "--set", "data.image_size=128"),
    )
    return run
