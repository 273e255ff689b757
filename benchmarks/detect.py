"""Detection of handwritten digits on textured canvases, with controls, through ``saccade train``.

One to six digits of 12 to 40 px on a canvas of 96 px; the handwriting of the test canvases is in no
training canvas. Beside it two controls: the same model without any notion of place (no positions,
and every token guesses a box in the middle of the picture), and sixteen canvases learned by heart,
which finds most mistakes in a loss.

    python -m benchmarks detect                       trains what is missing, see --help
    python -m benchmarks detect --collect             what there is to results/detect.json
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.harness import saccade
from benchmarks.ledger import Training, run_cases
from saccade.config.model import RagConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.data.annotated import open_boxes
from saccade.data.canvas.writing import Amounts, write_objects
from saccade.data.loader import Loader
from saccade.data.samples import Samples
from saccade.heads.detect import DetectHead, DetectLogits
from saccade.planning.detect import detect, preprocess_for_objects
from saccade.planning.facts import look
from saccade.run.evaluate import evaluate
from saccade.run.learner import Learner
from saccade.tasks.build import build_task
from saccade.tasks.detect import Detect
from saccade.tokens.tokens import Tokens

AMOUNTS = Amounts(train=4000, val=200, test=500)
MODEL, SIDE, STEPS = "rag-nano8", 96, 500
CONTROL_STEPS, OVERFIT_STEPS, NUM_OVERFIT = 200, 300, 16
FIGURES = ("ap", "ap50", "ap75", "ar_100", "precision", "recall", "detections_per_object")
CPU = torch.device("cpu")


CASES = {
    "canvases": {"model": MODEL, "steps": STEPS, "train": AMOUNTS.train},
    "without place": {"model": MODEL, "steps": CONTROL_STEPS, "train": AMOUNTS.train},
    "by heart": {"model": MODEL, "steps": OVERFIT_STEPS, "train": NUM_OVERFIT},
}


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    torch.set_num_threads(1)
    run_cases(arguments, benchmark="detect", cases=CASES, train=train_case)


def train_case(training: Training) -> dict[str, Any]:
    """Trains one of the cases on canvases of its seed's own."""
    with tempfile.TemporaryDirectory() as place:
        canvases = Path(place) / "canvases"
        write_objects(canvases, AMOUNTS, seed=training.seed)
        match training.case:
            case "canvases":
                result, _ = saccade(
                    *("train", str(canvases), "--job", "detect", "--model", MODEL),
                    *("--steps", str(STEPS), "--seed", str(training.seed), "--out", f"{place}/run"),
                )
                figures, n = result["metrics"], result["n"]
            case "without place":
                parts = open_boxes(canvases).splits
                figures, n = without_place(parts["train"], parts["test"], seed=training.seed)
            case _:
                few = open_boxes(canvases).splits["train"].take(np.arange(NUM_OVERFIT))
                figures, n = by_heart(few, seed=training.seed)
    return {"n": n, **{name: figures[name] for name in FIGURES if name in figures}}


def without_place(pictures: Samples, test: Samples, *, seed: int) -> tuple[dict[str, float], int]:
    """The same model that cannot say where."""
    config, preprocess = _recipe(pictures, steps=CONTROL_STEPS, seed=seed)
    assert isinstance(config.model, RagConfig)
    task = _task(replace(config, model=replace(config.model, position="none")), preprocess)
    task.head = Nowhere(task.head)  # pyrefly: ignore[bad-assignment]
    return _train(task, config, preprocess, pictures, test, steps=CONTROL_STEPS), len(test)


def by_heart(few: Samples, *, seed: int) -> tuple[dict[str, float], int]:
    """A few canvases, unchanged, judged on themselves."""
    config, preprocess = _recipe(few, steps=OVERFIT_STEPS, seed=seed)
    still = replace(config.augment, flip=0.0, translate=0.0, zoom=0.0, colour=0.0)
    config = replace(config, augment=still)
    task = _task(config, preprocess)
    return _train(task, config, preprocess, few, few, steps=OVERFIT_STEPS), len(few)


class Nowhere(nn.Module):
    """A detection head whose every guess lies in the middle of the picture."""

    def __init__(self, head: DetectHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, tokens: Tokens) -> DetectLogits:
        """The classes of the head, and boxes that differ by what the tokens say alone."""
        middle = torch.tensor([0.5, 0.5, self.head.object_width, self.head.object_height])
        offsets = self.head.locate(tokens.patches).float()
        return replace(self.head(tokens), boxes_cxcywh=(offsets + middle.logit()).sigmoid())


def _recipe(pictures: Samples, *, steps: int, seed: int) -> tuple[RunConfig, Preprocess]:
    """That of ``saccade train``."""
    facts = look(pictures, num_classes=10)
    config = detect(
        facts,
        source="canvases",
        model=MODEL,
        image_size=SIDE,
        steps=steps,
        budget_seconds=None,
        precision="bf16",
        num_threads=1,
        seed=seed,
    )
    return config, preprocess_for_objects(config, facts)


def _task(config: RunConfig, preprocess: Preprocess) -> Detect:
    names = tuple("0123456789")
    task = build_task(config, class_names=names, preprocess=preprocess)
    assert isinstance(task, Detect)
    return task


def _train(
    task: Detect,
    config: RunConfig,
    preprocess: Preprocess,
    training: Samples,
    test: Samples,
    *,
    steps: int,
) -> dict[str, float]:
    learner = Learner(task, config=config, device=CPU)
    batches = _loader(training, preprocess, config.data.batch_size)
    for step, (epoch, batch, _) in enumerate(batches.training_batches(config.seed, start_step=0)):
        if step == steps:
            break
        progress = step / steps
        learner.step(batch, epoch=epoch, step=step, planned_steps=steps, progress=progress)
    figures = evaluate(
        learner.average.task, _loader(test, preprocess, 32).batches(), config=config, device=CPU
    )
    assert figures is not None
    return figures


def _loader(samples: Samples, preprocess: Preprocess, batch_size: int) -> Loader:
    loader = Loader(
        samples,
        preprocess,
        batch_size=batch_size,
        num_threads=1,
        cache_bytes=4 * 2**30,
        max_bad_fraction=0.0,
    )
    loader.prepare()
    return loader
