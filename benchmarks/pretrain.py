"""Learning without labels at equal time: what frozen and fine-tuned features are worth.

10,000 CIFAR-10 pictures, one thread, so many seconds of CPU time for each method; the controls are
the same model with fresh weights, and VISReg without its regulariser, which must collapse.

    python -m benchmarks pretrain                     trains what is missing, see --help
    python -m benchmarks pretrain --collect           what there is to results/pretrain.json
"""

import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.ledger import Training, run_cases
from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import PretrainConfig
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.sources import labelled, open_source
from saccade.metrics.representation import effective_rank, mean_std
from saccade.planning.classify import classify
from saccade.planning.facts import Facts, look
from saccade.planning.pretrain import pretrain
from saccade.run.evaluate import evaluate
from saccade.run.learner import Learner
from saccade.serving.probe import probe_features
from saccade.serving.probe_features import ProbeFeatures
from saccade.tasks.build import build_task
from saccade.tasks.pretrain.build import AnyPretrain
from saccade.tasks.pretrain.views import Pretrain

DEVICE = torch.device("cpu")
PRECISION = "bf16"
MODEL = "vit-pico8"
SECONDS = 180.0  # of CPU time for each training; what comes after is not counted
NUM_PER_CLASS = 1000
LABELS = 500
TUNE_STEPS, TUNE_BATCH, TUNE_LR = 300, 50, 1e-3

CASES: dict[str, dict[str, Any] | None] = {
    "fresh weights": None,
    "no regulariser": {"method": "visreg", "regulariser": 0.0},
    "visreg": {"method": "visreg"},
    "lejepa": {"method": "lejepa"},
    "dino": {"method": "dino"},
    "mae": {"method": "mae"},
}
"""What is changed of the recipe; None: nothing is learned."""


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
    run_cases(
        arguments,
        benchmark="pretrain",
        cases={name: {"seconds": SECONDS, **(changes or {})} for name, changes in CASES.items()},
        train=run_case,
    )


def run_case(training: Training) -> dict[str, Any]:
    """Pretrains, probes and fine-tunes one case."""
    name, seed = training.case, training.seed
    pictures = load_pictures(training.shared)
    changes = CASES[name]
    config = _config(changes or {}, pictures, seed=seed)
    task = build_task(config, class_names=(), preprocess=pictures.preprocess)
    assert isinstance(task, AnyPretrain)
    learner = Learner(task, config=config, device=DEVICE)
    steps = 0
    if changes is not None:
        steps = _train(learner, pictures.train, seconds=SECONDS)
    learned = learner.average.task if steps else task.eval()
    assert isinstance(learned, AnyPretrain)
    train, test = (features(learned, batch) for batch in (pictures.train, pictures.test))
    row: dict[str, Any] = {
        "steps": steps,
        "epochs": round(steps * config.data.batch_size / len(pictures.train), 2),
    }
    rank = effective_rank(test.vectors)
    row |= {
        "effective_rank": round(rank, 2),
        "rank_share": round(rank / test.vectors.shape[1], 4),
        "mean_std": round(mean_std(test.vectors), 4),
        "projected_rank": round(effective_rank(_projected(learned, test.vectors)), 2),
    }
    for each in probe_features(
        name, train, test, probes=("knn", "linear", "attentive"), shots=(10,), repeats=3,
        num_classes=10, seed=seed,
    ):  # fmt: skip
        row[f"{each.probe}_{each.shots or 'all'}"] = round(each.top1, 4)
    return row | {f"tuned_{LABELS}": round(fine_tuned(learned, config, pictures, seed=seed), 4)}


@torch.inference_mode()
def features(task: AnyPretrain, pictures: Batch) -> ProbeFeatures:
    """What the frozen backbone says, in fp32, in the order given."""
    vectors, tokens = [], []
    for images in pictures.images.split(250):
        found = task.tokens(images)
        vectors.append(found.patches.mean(dim=1))
        tokens.append(found.patches.half())
    return ProbeFeatures(
        vectors=torch.cat(vectors).clone(),
        tokens=torch.cat(tokens).clone(),
        labels=pictures.labels,
        ids=pictures.ids,
    )


def fine_tuned(learned: AnyPretrain, config: RunConfig, pictures: Pictures, *, seed: int) -> float:
    """Test accuracy of a classifier that starts from a backbone and sees ``LABELS`` labels.

    The same recipe, steps and learning rate whatever it starts from.
    """
    recipe = classify(
        pictures.facts,
        source="cifar10",
        model=config.model,
        image_size=32,
        steps=TUNE_STEPS,
        budget_seconds=None,
        precision=PRECISION,
        num_threads=1,
        seed=seed,
    )
    recipe = replace(recipe, optim=replace(recipe.optim, lr=TUNE_LR, average=0.1))
    task = build_task(recipe, class_names=pictures.class_names, preprocess=pictures.preprocess)
    task.backbone.load_state_dict(learned.backbone.state_dict())
    learner = Learner(task, config=recipe, device=DEVICE)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(pictures.train), generator=generator)
    labels = pictures.train.labels[order]
    chosen = torch.cat([order[labels == label][: LABELS // 10] for label in range(10)])
    for step in range(TUNE_STEPS):
        epoch, at = divmod(step * TUNE_BATCH, LABELS)
        if at == 0:
            chosen = chosen[torch.randperm(LABELS, generator=generator)]
        learner.step(
            _take(pictures.train, chosen[at : at + TUNE_BATCH]),
            epoch=epoch,
            step=step,
            planned_steps=TUNE_STEPS,
            progress=step / TUNE_STEPS,
        )
    batches = (_take(pictures.test, some) for some in torch.arange(len(pictures.test)).split(250))
    figures = evaluate(learner.average.task, batches, config=recipe, device=DEVICE)
    assert figures is not None
    return figures["top1"]


@cache
def load_pictures(shared: Path) -> Pictures:
    """The first ``NUM_PER_CLASS`` training pictures of each class, and the whole test set."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(shared / "cifar10" / "cifar10_jpg.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        source = labelled(open_source(Path(folder)))
        assert source.class_names is not None
        training = source.splits["train"]
        assert training.labels is not None
        first = [np.flatnonzero(training.labels == label)[:NUM_PER_CLASS] for label in range(10)]
        training = training.take(np.concatenate(first))
        facts = look(training, num_classes=10)
        preprocess = Preprocess(
            height=32, width=32, channels=3, fit="crop", mean=facts.mean, std=facts.std
        )
        parts = []
        for samples in (training, source.splits["test"]):
            loader = Loader(
                samples, preprocess, batch_size=500, num_threads=1, cache_bytes=0,
                max_bad_fraction=0.0,
            )  # fmt: skip
            batches = list(loader.batches())
            parts.append(
                Batch(
                    images=torch.cat([batch.images for batch in batches]),
                    targets=torch.cat([batch.labels for batch in batches]),
                    ids=torch.cat([batch.ids for batch in batches]),
                )
            )
    return Pictures(
        facts=facts,
        class_names=source.class_names,
        preprocess=preprocess,
        train=parts[0],
        test=parts[1],
    )


def _config(changes: Mapping[str, Any], pictures: Pictures, *, seed: int) -> RunConfig:
    method = str(changes.get("method", "visreg"))
    config = pretrain(
        pictures.facts,
        method=method,
        source="cifar10",
        model=MODEL,
        image_size=32,
        steps=1000,
        budget_seconds=None,
        precision=PRECISION,
        num_threads=1,
        seed=seed,
    )
    assert isinstance(config.task, PretrainConfig)
    return replace(
        config,
        model=replace(config.model, stem="patches"),  # for all, since MAE needs it
        task=replace(config.task, **changes),
    )


def _train(learner: Learner, pictures: Batch, *, seconds: float) -> int:
    """Trains for so long in CPU time of this thread; returns how many steps that were."""
    size, seed = learner.config.data.batch_size, learner.config.seed
    generator = torch.Generator().manual_seed(seed)
    start, step, spent = time.process_time(), 0, 0.0
    order = torch.randperm(0)
    while spent < seconds:
        if len(order) < size:
            order = torch.randperm(len(pictures), generator=generator)
        some, order = order[:size], order[size:]
        progress = spent / seconds
        learner.step(
            _take(pictures, some),
            epoch=step * size // len(pictures),
            step=step,
            planned_steps=max(1, round(step / progress)) if progress > 0.01 else step + 1,
            progress=progress,
        )
        step += 1
        spent = time.process_time() - start
    return step


@torch.inference_mode()
def _projected(task: AnyPretrain, vectors: Tensor) -> Tensor:
    """What the loss sees, where there is such a thing; else the vectors themselves."""
    return task.head(vectors) if isinstance(task, Pretrain) else vectors


def _take(pictures: Batch, places: Tensor) -> Batch:
    return Batch(
        images=pictures.images[places], targets=pictures.labels[places], ids=pictures.ids[places]
    )
