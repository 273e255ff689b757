"""Learning without labels at equal time: what frozen and fine-tuned features are worth.

10,000 CIFAR-10 pictures, one thread, so many seconds of CPU time for each method; the controls are
the same model with fresh weights, and VISReg without its regulariser, which must collapse.

    python -m benchmarks pretrain --seeds 0 1 2 --seconds 180     # adds what is missing
    python -m benchmarks pretrain --collect                        # writes results/pretrain.json
"""

import argparse
import json
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness import SHARED, commit, save, spread
from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import PretrainConfig
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.sources import labelled, open_source
from saccade.metrics.representation import effective_rank, mean_std
from saccade.recipes.classify import classify
from saccade.recipes.facts import Facts, look
from saccade.recipes.pretrain import pretrain
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
    """Runs what is missing, or collects what there is."""
    options = _parser().parse_args(arguments)
    if options.collect:
        collect(_read(options.runs))
        return
    torch.set_num_threads(1)
    pictures = load_pictures(options.shared)
    for seed in options.seeds:
        for name in options.cases:
            known = {(row["case"], row["seed"], row["seconds"]) for row in _read(options.runs)}
            if (name, seed, options.seconds) in known:
                continue
            row = run_case(name, pictures, seed=seed, seconds=options.seconds)
            with options.runs.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


def collect(rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes ``results/pretrain.json`` and prints a table."""
    figures = [key for key in rows[0] if key not in ("case", "seed", "seconds", "commit")]
    summary = {
        name: {key: spread([row[key] for row in rows if row["case"] == name]) for key in figures}
        for name in CASES
        if any(row["case"] == name for row in rows)
    }
    save(
        "pretrain",
        command="python -m benchmarks pretrain",
        rows=rows,
        trained_at=sorted({row["commit"] for row in rows}),
        summary=summary,
    )
    for name, of_case in summary.items():
        cells = [f"{of_case[key]['mean']:.4f} +- {of_case[key]['std']:.4f}" for key in figures]
        print(f"| {name} | {' | '.join(cells)} |")


def run_case(name: str, pictures: Pictures, *, seed: int, seconds: float) -> dict[str, Any]:
    """Pretrains, probes and fine-tunes one case.

    Args:
        name: a key of ``CASES``.
        pictures: see ``load_pictures``.
        seed: of weights, order, views, draws.
        seconds: CPU time for the training; what comes after is not counted.
    """
    changes = CASES[name]
    config = _config(changes or {}, pictures, seed=seed)
    task = build_task(config, class_names=(), preprocess=pictures.preprocess)
    assert isinstance(task, AnyPretrain)
    learner = Learner(task, config=config, device=DEVICE)
    steps = 0
    if changes is not None:
        steps = _train(learner, pictures.train, seconds=seconds)
    learned = learner.average.task if steps else task.eval()
    assert isinstance(learned, AnyPretrain)
    train, test = (features(learned, batch) for batch in (pictures.train, pictures.test))
    row: dict[str, Any] = {"case": name, "seed": seed, "seconds": seconds, "commit": commit()}
    row |= {
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
    measure = evaluate(learner.average.task, batches, config=recipe, device=DEVICE)
    assert measure is not None
    return measure.figures()["top1"]


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


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks pretrain")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=[*CASES], metavar="CASE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=180.0, help="of CPU time for each run")
    parser.add_argument("--runs", type=Path, default=Path("pretrain.jsonl"), help="one run a line")
    parser.add_argument("--shared", type=Path, default=SHARED, help="where the data sets lie")
    parser.add_argument("--collect", action="store_true", help="write results/pretrain.json")
    return parser
