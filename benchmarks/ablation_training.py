"""One run of the ablation: a model, a data set, a seed, and so many seconds of one thread.

Seconds are CPU time of the process and not wall clock. Where other work shares the cores, wall
clock would give a model more steps only because it was its turn at a quiet hour.
"""

import tarfile
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.ablation_cases import CASES, PATCH
from saccade.config.run import Preprocess, RunConfig
from saccade.data.loader import Loader
from saccade.data.sources import labelled, open_source
from saccade.planning.classify import classify
from saccade.planning.facts import Facts, look
from saccade.run.device import Precision
from saccade.run.evaluate import evaluate
from saccade.run.learner import Learner
from saccade.tasks.build import build_task

DEVICE = torch.device("cpu")
IMAGE_SIZES = {"fashion": 28, "cifar10": 32}

_BATCH_SIZE = 128  # of the tests too: with 500 the processor spends half its time on fresh memory
_MIN_SHARE = 0.01  # below, the number of steps to come cannot be told yet


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A data set in memory.

    Attributes:
        facts: about the training part, as the recipe wants them.
        class_names: the K classes.
        preprocess: pictures stay as they are, 28 or 32 pixels a side.
        training, test: decoded, as bytes.
    """

    facts: Facts
    class_names: tuple[str, ...]
    preprocess: Preprocess
    training: Loader
    test: Loader


def load_pictures(name: str, shared: Path) -> Pictures:
    """Reads ``fashion`` or ``cifar10`` through the sources that users have.

    Args:
        name: which.
        shared: the folder with ``fashion-mnist`` and ``cifar10`` in it.
    """
    if name == "fashion":
        return _prepare(shared / "fashion-mnist", image_size=IMAGE_SIZES[name])
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(shared / "cifar10" / "cifar10_jpg.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        return _prepare(Path(folder), image_size=IMAGE_SIZES[name])


def train_case(
    name: str, pictures: Pictures, *, seed: int, seconds: float, precision: Precision
) -> dict[str, object]:
    """Trains one case for so long and judges its averaged weights on the whole test set.

    Args:
        name: a key of ``CASES``.
        pictures: the data set.
        seed: of weights, order and augmentation.
        seconds: CPU time for training; the evaluation comes on top.
        precision: of both.
    """
    torch.set_num_threads(1)
    config = _config(name, pictures, seed=seed, precision=precision)
    task = build_task(config, class_names=pictures.class_names, preprocess=pictures.preprocess)
    learner = Learner(task, config=config, device=DEVICE)
    wall, start = time.perf_counter(), time.process_time()
    step, spent, figures = 0, 0.0, {"loss": float("nan")}
    for epoch, batch, _ in pictures.training.training_batches(seed, start_step=0):
        progress = spent / seconds
        planned = round(step / progress) if progress > _MIN_SHARE else step + 1
        figures = learner.step(
            batch, epoch=epoch, step=step, planned_steps=max(planned, 1), progress=progress
        )
        step += 1
        spent = time.process_time() - start
        if spent >= seconds:
            break
    wall = time.perf_counter() - wall
    metrics = evaluate(learner.average.task, pictures.test.batches(), config=config, device=DEVICE)
    assert metrics is not None
    return {
        "top1": round(metrics["top1"], 5),
        "log_loss": round(metrics["log_loss"], 5),
        "steps": step,
        "images_per_second": round(step * _BATCH_SIZE / spent, 1),
        "train_loss": round(figures["loss"], 4),  # of the last batch
        "gates": _gates(learner),
        "num_parameters": sum(p.numel() for p in task.parameters()),
        "cpu_seconds": round(spent, 2),
        "wall_seconds": round(wall, 2),
    }


def _config(name: str, pictures: Pictures, *, seed: int, precision: Precision) -> RunConfig:
    """The default recipe of a short training, with another model in it."""
    size = pictures.preprocess.height
    config = classify(
        pictures.facts,
        source="",
        model=f"vit-pico{PATCH}",  # of the width of all cases, so the learning rate is theirs
        image_size=size,
        steps=1,  # so few epochs that pictures are mirrored and moved, and nothing else
        budget_seconds=None,
        precision=precision,
        num_threads=1,
        seed=seed,
    )
    return replace(config, model=CASES[name].model_for(size))


def _gates(learner: Learner) -> list[float]:
    """How strongly each block adds its attention and its MLP, in turn; empty without blocks."""
    blocks = getattr(learner.average.task.backbone, "blocks", ())
    return [
        round(gate.strength, 4)
        for block in blocks
        for gate in (block.attention_gate, block.mlp_gate)
    ]


def _prepare(path: Path, *, image_size: int) -> Pictures:
    source = labelled(open_source(path))
    assert source.class_names is not None
    training, test = source.splits["train"], source.splits["test"]
    facts = look(training, num_classes=len(source.class_names))
    preprocess = Preprocess(
        height=image_size,
        width=image_size,
        channels=1 if facts.is_grey else 3,
        fit="crop",
        mean=facts.mean,
        std=facts.std,
    )
    loaders = [
        Loader(
            samples,
            preprocess,
            batch_size=_BATCH_SIZE,
            num_threads=1,
            cache_bytes=2**32,
            max_bad_fraction=0.0,
        )
        for samples in (training, test)
    ]
    for loader in loaders:
        loader.prepare()
    return Pictures(
        facts=facts,
        class_names=source.class_names,
        preprocess=preprocess,
        training=loaders[0],
        test=loaders[1],
    )
