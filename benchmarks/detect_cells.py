"""Blood cells (BCCD, 205 pictures to learn from, official split), from scratch and pretrained.

Pretraining sees the training pictures without their boxes; what it found out about cells goes into
the backbone, and the head starts afresh. Figures are those of the official test pictures, which
neither training nor the choice of the best weights sees.
"""

import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import saccade, save, shared_data, spread, unzipped

MODEL, SIDE = "rag-nano8", 192
STEPS, PRETRAIN_STEPS = 1200, 300
LR = 1.4e-3  # of the recipe, for 16 pictures a step
FIGURES = ("ap", "ap50", "ap75", "ar_100", "precision", "recall", "detections_per_object")


def run(seeds: Sequence[int]) -> None:
    """Trains twice per seed."""
    rows = []
    archives = sorted(shared_data("bccd").glob("*.zip"))
    for archive in archives[:1]:
        with unzipped(archive) as source, tempfile.TemporaryDirectory() as folder:
            for seed in seeds:
                rows += _rows(source, Path(folder) / str(seed), seed)
    summary = {
        what: {
            name: spread([row[name] for row in rows if row["what"] == what])
            for name in ("ap", "ap50", "detections_per_object", "cpu_seconds")
        }
        for what in ("from scratch", "pretrained")
    }
    save("detect_cells", command="python -m benchmarks detect_cells", rows=rows, summary=summary)


def _rows(source: Path, folder: Path, seed: int) -> list[dict[str, Any]]:
    folder.mkdir()
    scratch = _train("from scratch", source, folder / "scratch", seed)
    before = _cpu_seconds()
    # The training pictures alone: pretraining would divide all pictures in its own way.
    pictures = folder / "pictures"
    pictures.mkdir()
    (layout,) = source.rglob("ImageSets")
    for name in (layout / "Main" / "train.txt").read_text().split():
        shutil.copy(layout.parent / "JPEGImages" / f"{name}.jpg", pictures)
    saccade(
        *("pretrain", str(pictures), "--out", str(folder / "pretrained"), "--model", MODEL),
        *("--steps", str(PRETRAIN_STEPS), "--seed", str(seed), "--set", "data.image_size=128"),
    )
    spent = _cpu_seconds() - before
    # The learning rate of a fresh start: weights of 205 pictures are no treasure to be kept.
    init = ("--init", str(folder / "pretrained"), "--set", f"optim.lr={LR}")
    pretrained = _train("pretrained", source, folder / "tuned", seed, *init)
    return [scratch, pretrained | {"pretrain_cpu_seconds": round(spent, 1)}]


def _train(what: str, source: Path, out: Path, seed: int, *more: str) -> dict[str, Any]:
    before, start = _cpu_seconds(), time.perf_counter()
    fresh = () if more else ("--model", MODEL)
    result, _ = saccade(
        *("train", str(source), "--job", "detect", "--out", str(out), "--steps", str(STEPS)),
        *("--seed", str(seed), "--set", f"data.image_size={SIDE}", *fresh, *more),
    )
    metrics = result["metrics"]
    row = {
        "what": what,
        "seed": seed,
        "model": MODEL,
        "steps": STEPS,
        "n": result["n"],
        **{name: round(metrics[name], 4) for name in FIGURES if name in metrics},
        "cpu_seconds": round(_cpu_seconds() - before, 1),
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(row, flush=True)
    return row


def _cpu_seconds() -> float:
    """Of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
