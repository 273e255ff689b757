"""Detection of handwritten digits on textured canvases, with controls, through ``saccade train``.

One to six digits of 12 to 40 px on a canvas of 96 px; the handwriting of the test canvases is in no
training canvas. Beside it two controls: the same model without any notion of place (no positions,
and every token guesses a box in the middle of the picture), and sixteen canvases learned by heart,
which finds most mistakes in a loss.
"""

import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from benchmarks.harness import saccade, save, spread
from saccade.config.json import from_json
from saccade.config.model import RagConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.data.annotated import open_boxes
from saccade.data.canvas.writing import Amounts, write_objects
from saccade.data.loader import Loader
from saccade.data.samples import Samples
from saccade.heads.detect import DetectHead, DetectLogits
from saccade.run.contract import load_contract
from saccade.run.evaluate import evaluate
from saccade.run.folder import RunFolder, read_json
from saccade.run.learner import Learner
from saccade.tasks.build import build_task
from saccade.tasks.detect import Detect
from saccade.tokens.tokens import Tokens

AMOUNTS = Amounts(train=4000, val=200, test=500)
MODEL, STEPS = "rag-nano8", 1000
CONTROL_STEPS, OVERFIT_STEPS, NUM_OVERFIT = 300, 300, 16
FIGURES = ("ap", "ap50", "ap75", "ar_100", "precision", "recall", "detections_per_object")
CPU = torch.device("cpu")


def run(seeds: Sequence[int]) -> None:
    """Trains once per seed; the controls once per seed too."""
    rows = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            rows += _rows(Path(folder), seed)
    kinds = dict.fromkeys(str(row["what"]) for row in rows)
    summary = {
        kind: {
            name: spread([float(str(row[name])) for row in rows if row["what"] == kind])
            for name in ("ap50", "detections_per_object", "cpu_seconds")
            if all(name in row for row in rows if row["what"] == kind)
        }
        for kind in kinds
    }
    save("detect", command="python -m benchmarks detect", rows=rows, summary=summary)


def _rows(folder: Path, seed: int) -> list[dict[str, object]]:
    canvases = folder / "canvases"
    write_objects(canvases, AMOUNTS, seed=seed)
    before, start = _cpu_seconds(), time.perf_counter()
    command = ["train", str(canvases), "--job", "detect", "--model", MODEL, "--steps", str(STEPS)]
    result, _ = saccade(*command, "--seed", str(seed), "--out", str(folder / "run"))
    trained = _row("canvases", seed, result["metrics"], before, start, steps=STEPS, n=result["n"])
    print(trained, flush=True)

    run_folder = RunFolder(folder / "run")
    config = from_json(RunConfig, read_json(run_folder.config))
    preprocess = load_contract(run_folder.contract).preprocess
    parts = open_boxes(canvases).splits
    nowhere = _without_place(config, preprocess, parts["train"], parts["test"], seed)
    few = parts["train"].take(torch.arange(NUM_OVERFIT).numpy())
    overfit = _by_heart(config, preprocess, few, seed)
    return [trained, nowhere, overfit]


def _without_place(
    config: RunConfig, preprocess: Preprocess, training: Samples, test: Samples, seed: int
) -> dict[str, object]:
    """The same model that cannot say where."""
    before, start = _cpu_seconds(), time.perf_counter()
    assert isinstance(config.model, RagConfig)
    blind = replace(config.model, position="none")
    task = _task(replace(config, model=blind, steps=CONTROL_STEPS), preprocess)
    task.head = Nowhere(task.head)  # pyrefly: ignore[bad-assignment]
    figures = _train(task, config, preprocess, training, test, steps=CONTROL_STEPS)
    return _row("without place", seed, figures, before, start, steps=CONTROL_STEPS, n=len(test))


def _by_heart(
    config: RunConfig, preprocess: Preprocess, few: Samples, seed: int
) -> dict[str, object]:
    """A few canvases, unchanged, judged on themselves."""
    before, start = _cpu_seconds(), time.perf_counter()
    still = replace(config.augment, flip=0.0, translate=0.0, zoom=0.0, colour=0.0)
    config = replace(config, augment=still)
    task = _task(config, preprocess)
    figures = _train(task, config, preprocess, few, few, steps=OVERFIT_STEPS)
    return _row("by heart", seed, figures, before, start, steps=OVERFIT_STEPS, n=len(few))


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
    for step, (epoch, batch) in enumerate(batches.training_batches(config.seed, start_step=0)):
        if step == steps:
            break
        progress = step / steps
        learner.step(batch, epoch=epoch, step=step, planned_steps=steps, progress=progress)
    measure = evaluate(
        learner.average.task, _loader(test, preprocess, 32).batches(), config=config, device=CPU
    )
    assert measure is not None
    return measure.figures()


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


def _row(
    what: str,
    seed: int,
    figures: Mapping[str, float],
    cpu_before: float,
    start: float,
    *,
    steps: int,
    n: int,
) -> dict[str, object]:
    return {
        "what": what,
        "seed": seed,
        "steps": steps,
        "n": n,
        **{name: round(figures[name], 4) for name in FIGURES if name in figures},
        "cpu_seconds": round(_cpu_seconds() - cpu_before, 1),
        "seconds": round(time.perf_counter() - start, 1),
    }


def _cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
