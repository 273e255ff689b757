"""A student alone against the same student taught, at equal steps.

5,000 CIFAR-10 pictures of 16 pixels a side, one thread, judged on 4,000 others. The teacher, a
convolutional network, has learned from the same 5,000; the student is a transformer.

    python -m benchmarks distill                     trains what is missing, see --help
    python -m benchmarks distill --collect           what there is to results/distill.json
"""

import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ledger import Training, run_cases
from saccade.config.run import UNTAUGHT, Preprocess, RunConfig
from saccade.config.task import TeachConfig
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.samples import Samples
from saccade.data.sources import labelled, open_source
from saccade.planning.classify import classify
from saccade.planning.facts import Facts, look
from saccade.run.learner import Learner
from saccade.run.teacher import Teacher
from saccade.tasks.build import build_task
from saccade.tasks.classify import Classify

DEVICE = torch.device("cpu")
SIDE, BATCH = 16, 64
TEACHER, TEACHER_STEPS = "cnn-nano4", 1000
STUDENT, STEPS = "vit-pico4", 300
NUM_PER_CLASS = {"train": 500, "test": 400}

CASES = {
    "labels alone": UNTAUGHT,
    "logits": TeachConfig(method="logits"),
    "hard": TeachConfig(method="hard", weight=0.5),
    "features": TeachConfig(method="features", weight=0.5, width=128),
    "logits, no labels": TeachConfig(method="logits", has_labels=False),
}


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The pictures in memory, with what a recipe wants to know."""

    facts: Facts
    class_names: tuple[str, ...]
    preprocess: Preprocess
    train: Batch
    test: Batch


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    torch.set_num_threads(1)
    numbers = {"student": STUDENT, "steps": STEPS, "teacher": [TEACHER, TEACHER_STEPS]}
    run_cases(
        arguments,
        benchmark="distill",
        cases={name: {**numbers, **vars(told)} for name, told in CASES.items()},
        train=run_case,
    )


def run_case(training: Training) -> dict[str, Any]:
    """Trains one student; the teacher is trained once, before the first of them."""
    pictures, told = load_pictures(training.shared), CASES[training.case]
    known = trained_teacher(training.work, training.shared)
    teacher = None
    if told != UNTAUGHT:
        teacher = Teacher(
            known,
            preprocess=pictures.preprocess,
            precision="bf16",
            device=DEVICE,
            config=told,
            class_names=() if told.method == "features" else pictures.class_names,
        )
    config = replace(_config(STUDENT, STEPS, pictures, seed=training.seed), teach=told)
    learner = _learned(config, pictures, teacher)
    student, of_teacher = (_answers(task, pictures.test) for task in (learner, known))
    labels = pictures.test.labels
    return {
        "top1": (student == labels).float().mean().item(),
        "teacher_top1": (of_teacher == labels).float().mean().item(),
        "agreement": (student == of_teacher).float().mean().item(),
    }


@cache
def trained_teacher(work: Path, shared: Path) -> Classify:
    """From its weights where there are some."""
    pictures = load_pictures(shared)
    config = _config(TEACHER, TEACHER_STEPS, pictures, seed=0)
    path = work / f"{TEACHER}-{TEACHER_STEPS}.pt"
    if not path.exists():
        torch.save(_learned(config, pictures, None).state_dict(), path)
    task = build_task(config, class_names=pictures.class_names, preprocess=pictures.preprocess)
    assert isinstance(task, Classify)
    task.load_state_dict(torch.load(path))  # noqa: TID251  our own tensors, of a minute ago
    return task.eval()


@cache
def load_pictures(shared: Path) -> Pictures:
    """The first pictures of each class."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if (shared / "cifar10" / "train").is_dir():
            shutil.copytree(shared / "cifar10", folder / "cifar10")
        else:
            with tarfile.open(shared / "cifar10" / "cifar10_jpg.tar.xz") as archive:
                archive.extractall(folder, filter="data")
        source = labelled(open_source(folder))
        assert source.class_names is not None
        train, test = (_first(source.splits[each], n) for each, n in NUM_PER_CLASS.items())
        facts = look(train, num_classes=10)
        preprocess = Preprocess(
            height=SIDE, width=SIDE, channels=3, fit="crop", mean=facts.mean, std=facts.std
        )
        return Pictures(
            facts=facts,
            class_names=source.class_names,
            preprocess=preprocess,
            train=_in_memory(train, preprocess),
            test=_in_memory(test, preprocess),
        )


def _first(samples: Samples, count: int) -> Samples:
    assert samples.labels is not None
    places = [np.flatnonzero(samples.labels == label)[:count] for label in range(10)]
    return samples.take(np.concatenate(places))


def _in_memory(samples: Samples, preprocess: Preprocess) -> Batch:
    loader = Loader(
        samples, preprocess, batch_size=500, num_threads=1, cache_bytes=0, max_bad_fraction=0.0
    )
    batches = list(loader.batches())
    return Batch(
        images=torch.cat([batch.images for batch in batches]),
        targets=torch.cat([batch.labels for batch in batches]),
        ids=torch.cat([batch.ids for batch in batches]),
    )


def _config(model: str, steps: int, pictures: Pictures, *, seed: int) -> RunConfig:
    config = classify(
        pictures.facts,
        source="cifar10",
        model=model,
        image_size=SIDE,
        steps=steps,
        budget_seconds=None,
        precision="bf16",
        num_threads=1,
        seed=seed,
    )
    return replace(config, data=replace(config.data, batch_size=BATCH))


def _learned(config: RunConfig, pictures: Pictures, teacher: Teacher | None) -> Classify:
    """The averaged weights after all steps."""
    task = build_task(config, class_names=pictures.class_names, preprocess=pictures.preprocess)
    learner = Learner(task, config=config, device=DEVICE, teacher=teacher)
    generator = torch.Generator().manual_seed(config.seed)
    order = torch.randperm(0)
    for step in range(config.steps):
        if len(order) < BATCH:
            order = torch.randperm(len(pictures.train), generator=generator)
        some, order = order[:BATCH], order[BATCH:]
        learner.step(
            _take(pictures.train, some),
            epoch=step * BATCH // len(pictures.train),
            step=step,
            planned_steps=config.steps,
            progress=step / config.steps,
        )
    assert isinstance(learner.average.task, Classify)
    return learner.average.task


@torch.inference_mode()
def _answers(task: Classify, pictures: Batch) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return torch.cat([task.predict(part).argmax(dim=1) for part in pictures.parts(250)])


def _take(pictures: Batch, rows: torch.Tensor) -> Batch:
    return Batch(
        images=pictures.images[rows], targets=pictures.labels[rows], ids=pictures.ids[rows]
    )
