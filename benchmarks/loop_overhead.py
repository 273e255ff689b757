"""What the training loop costs beside the bare steps of PyTorch that it makes.

    python -m benchmarks loop_overhead 0 1 2         so many runs of each model

A training as ``saccade train`` runs it (loader, log, meter, pace, checkpoints in the background,
the finiteness of every figure), augmentation off, whose watcher makes a bare step of PyTorch after
each of its steps: the same task on the same number of pictures, loss, backward, clipping, fused
AdamW, the average of the weights, and the loss as a number. So the two take turns for the whole
run. What counts is processor time of the process, the loader's thread with it.
"""

import copy
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.harness import save
from saccade.config.json import override, to_json
from saccade.config.run import Preprocess, RunConfig
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.sources import open_source
from saccade.planning.classify import classify
from saccade.planning.facts import look
from saccade.run.average import WeightAverage
from saccade.run.device import autocast
from saccade.run.folder import RunFolder
from saccade.run.state import RunState
from saccade.run.train import train
from saccade.tasks.build import AnyTask, build_task

CPU = torch.device("cpu")
MODELS = {"vit-ti4": (128, 12), "vit-pico8": (64, 150)}
"""Pictures a step and steps; of 32 x 32 pixels."""

NUM_PICTURES, NUM_CLASSES, WARM_UP = 1024, 10, 3


def run(seeds: Sequence[int]) -> None:
    """One training for each model and seed."""
    torch.set_num_threads(1)
    rows = [_measure(name, seed) for name in MODELS for seed in seeds]
    save("loop_overhead", command="python -m benchmarks loop_overhead", rows=rows)


def _measure(name: str, seed: int) -> dict[str, Any]:
    batch_size, steps = MODELS[name]
    with tempfile.TemporaryDirectory() as place:
        rng = np.random.default_rng(seed)
        images = rng.integers(256, size=(NUM_PICTURES, 32, 32, 3), dtype=np.uint8)
        labels = np.arange(NUM_PICTURES) % NUM_CLASSES
        path = Path(place) / "pictures.npz"
        np.savez(path, x_train=images, y_train=labels, x_test=images[:100], y_test=labels[:100])
        samples = open_source(path).splits["train"]
        config = _config(name, samples, steps=steps, batch_size=batch_size, seed=seed)
        preprocess = Preprocess(
            height=32, width=32, channels=3, fit="crop", mean=(0.5,) * 3, std=(0.25,) * 3
        )
        task = build_task(
            config, class_names=tuple(map(str, range(NUM_CLASSES))), preprocess=preprocess
        )
        loader = Loader(
            samples, preprocess, batch_size=batch_size, num_threads=1, cache_bytes=2**30,
            max_bad_fraction=0.0,
        )  # fmt: skip
        loader.prepare()
        folder = RunFolder(Path(place) / "run")
        folder.create({folder.config: to_json(config)})
        turns = TakesTurns(copy.deepcopy(task), config, next(iter(loader.batches())))
        train(
            task, loader, loader, config=config, folder=folder, header={}, device=CPU,
            training_seconds=None, watcher=turns,
        )  # fmt: skip
    loop, bare = turns.loop[WARM_UP:], turns.bare[WARM_UP:]
    return {
        "model": name,
        "seed": seed,
        "steps": len(loop),
        "loop_seconds": round(statistics.median(loop), 5),
        "bare_seconds": round(statistics.median(bare), 5),
        "overhead": round(sum(loop) / sum(bare) - 1, 4),
        "overhead_of_medians": round(statistics.median(loop) / statistics.median(bare) - 1, 4),
    }


class TakesTurns:
    """A watcher that makes a bare step after each step of the loop, and times both."""

    def __init__(self, task: AnyTask, config: RunConfig, batch: Batch) -> None:
        self.loop: list[float] = []
        self.bare: list[float] = []
        self._task, self._config, self._batch = task.train(), config, batch
        self._optimizer = torch.optim.AdamW(task.parameters(), lr=1e-3, fused=True)
        self._average = WeightAverage(task)
        self._left = time.process_time()

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """After each step of the loop."""
        del figures
        start = time.process_time()
        self.loop.append(start - self._left)
        self._bare_step(state.step)
        self._left = time.process_time()
        self.bare.append(self._left - start)

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Nothing."""

    def _bare_step(self, step: int) -> float:
        self._optimizer.zero_grad()
        with autocast(CPU, self._config.precision):
            loss = self._task.loss(self._batch, progress=0.5)["loss"]
        loss.backward()
        nn.utils.clip_grad_norm_(self._task.parameters(), 1.0)
        self._optimizer.step()
        self._average.update(step=step, horizon=100)
        return loss.item()


def _config(name: str, samples: Any, *, steps: int, batch_size: int, seed: int) -> RunConfig:
    made = classify(
        look(samples, num_classes=NUM_CLASSES), source="pictures", model=name, image_size=32,
        steps=steps, budget_seconds=None, precision="bf16", num_threads=1, seed=seed,
    )  # fmt: skip
    still = replace(
        made.augment, flip=0, translate=0, zoom=0, rotate_degrees=0, shear=0, colour=0, erase=0
    )
    return override(
        replace(made, augment=still),
        {
            "data.batch_size": str(batch_size),
            "log_every": "10",
            "save_every": "50",
            "evaluate_every": "1000000",
        },
    )
