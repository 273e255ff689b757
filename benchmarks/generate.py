"""Generation: how good samples are, and which answer of the network makes them so.

    python -m benchmarks generate                     trains what is missing, see --help
    python -m benchmarks generate --collect           what there is to results/generate.json

Samples are judged by a network that had no part in making them: a classifier that ``saccade train``
made from the training pictures alone, kept for each source and seed. Its class answers are the
accuracy; distances are between its features, in their first ``NUM_COMPONENTS`` principal axes, and
stand beside training pictures (the floor) and noise (the ceiling), as many of each. A training is
of a fixed number of steps.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.flow_sources import write_digits
from benchmarks.harness import saccade, shared_data
from benchmarks.ledger import Training, cpu_seconds, run_cases
from saccade.data.split import Split
from saccade.data.split import split as divide
from saccade.heads.classify import pooled
from saccade.jobs.generate.job import GenerateJob
from saccade.metrics.distance import frechet, kernel_distance, nearest
from saccade.serving.engine import Engine
from saccade.serving.generate import Generator
from saccade.serving.load import load_engine
from saccade.serving.sheet import sheet

NUM_COMPONENTS = 32
"""20 pictures for each tell a covariance: 640 are enough."""

VAL_FRACTION, TEST_FRACTION = 0.1, 0.4
"""Of the digits: 719 are left to compare with."""


@dataclass(frozen=True)
class Case:
    """One training.

    Attributes:
        source: ``digits`` with their side in pixels, or ``fashion``.
        model: of the generator.
        steps: of it.
        num_samples: that are judged.
        settings: further numbers.
        judge_steps: of the classifier.
    """

    source: str
    model: str
    steps: int
    num_samples: int
    settings: tuple[str, ...] = ()
    judge_steps: int = 600


WIDE_PATCH = Case("digits-56", "vit-pico14", 1000, 700)
CASES = {
    "digits": Case("digits-16", "vit-pico4", 1000, 700),
    "fashion": Case("fashion", "vit-pico7", 2500, 1300, ("model.depth=6",), 1000),
    # 14 x 14 pixels in a patch are 196 numbers; the network is 96 wide.
    "picture": WIDE_PATCH,
    "velocity": replace(WIDE_PATCH, settings=("task.flow.prediction=velocity",)),
    "noise": replace(WIDE_PATCH, settings=("task.flow.prediction=noise",)),
}


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    run_cases(arguments, benchmark="generate", cases=CASES, train=train_case)


def train_case(training: Training) -> dict[str, Any]:
    """Trains one generator and shows its samples to the classifier of its source."""
    case, seed, work = CASES[training.case], training.seed, training.work
    source = _source(case.source, work)
    classifier = _classifier(case, source, seed, work)
    with tempfile.TemporaryDirectory() as folder:
        before = cpu_seconds()
        trained, seconds = saccade(
            "train", str(source), "--job", "generate", "--out", f"{folder}/run",
            "--model", case.model, "--steps", str(case.steps), "--seed", str(seed),
            *_sets((*_shares(), *case.settings, "task.num_judged=64")),
        )  # fmt: skip
        spent = cpu_seconds() - before
        engine = load_engine(f"{folder}/run")
        drawn = Generator(engine).sample(case.num_samples)
    rows = 10 * len(engine.class_names)
    paper = sheet(drawn.images[:rows], columns=len(engine.class_names))
    Image.fromarray(paper[:, :, 0]).save(work / f"{training.case}-{seed}.png")
    parts = _parts(source, seed)
    names = classifier.class_names
    asked = np.array([names.index(label) for label in drawn.labels if label is not None])
    return {
        **judged(classifier, drawn.images, asked, parts),
        "own_frechet_share": trained["metrics"]["frechet_share"],
        "flow_loss": trained["metrics"]["flow_loss"],
        "cpu_seconds": round(spent, 1),
        "seconds": round(seconds, 1),
    }


def judged(
    classifier: Engine, images: np.ndarray, asked: np.ndarray, parts: Split
) -> dict[str, Any]:
    """What the classifier makes of samples, of training pictures, of test pictures and of noise."""
    assert parts.test is not None
    test, test_labels = _read(classifier, parts.test)
    train, _ = _read(classifier, parts.train)
    noise = np.random.default_rng(0).normal(127.5, 127.5, images.shape).round().clip(0, 255)
    seen = {
        name: look(classifier, some)
        for name, some in (
            ("samples", images), ("train", train), ("test", test), ("noise", noise.astype(np.uint8))
        )
    }  # fmt: skip
    axes = principal_axes(seen["train"][0])
    test_features, sample_features = seen["test"][0] @ axes, seen["samples"][0] @ axes
    some = np.linspace(0, len(train) - 1, min(len(images), len(train))).astype(int)
    floor = frechet(seen["train"][0][some] @ axes, test_features)
    ceiling = frechet(seen["noise"][0] @ axes, test_features)
    train_features = seen["train"][0] @ axes
    own, theirs = (nearest(each, train_features) for each in (sample_features, test_features))
    return {
        "accuracy": float((seen["samples"][1] == asked).mean()),
        "accuracy_of_test": float((seen["test"][1] == test_labels).mean()),
        "frechet": frechet(sample_features, test_features),
        "frechet_floor": floor,
        "frechet_ceiling": ceiling,
        "frechet_share": frechet(sample_features, test_features) / ceiling,
        "kernel_distance": kernel_distance(sample_features, test_features),
        "nearest_ratio": float(np.median(own) / np.median(theirs)),
    }


def look(classifier: Engine, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and class answers, in fp32."""
    features, answers = [], []
    task = classifier.task
    for start in range(0, len(images), 250):
        with torch.inference_mode():
            tokens = task.tokens(torch.from_numpy(images[start : start + 250]))
            features.append(pooled(tokens, "mean").numpy().astype(np.float64))
            answers.append(task.head(tokens).logits.argmax(dim=1).numpy())
    return np.concatenate(features), np.concatenate(answers)


def principal_axes(features: np.ndarray) -> np.ndarray:
    """The directions in which training pictures differ most, as columns."""
    _, vectors = np.linalg.eigh(np.cov(features.T))
    return vectors[:, ::-1][:, :NUM_COMPONENTS]


def _classifier(case: Case, source: Path, seed: int, work: Path) -> Engine:
    """Trained once for each source and seed on the same training pictures; fp32."""
    run = work / f"judge-{case.source}-{seed}"
    if not run.exists():
        saccade(
            "train", str(source), "--out", str(run), "--model", "cnn-nano8",
            "--steps", str(case.judge_steps), "--seed", str(seed), *_sets(_shares()),
        )  # fmt: skip
    return load_engine(run)


def _source(name: str, work: Path) -> Path:
    if name == "fashion":
        return shared_data("fashion-mnist")
    place = work / name
    return place if place.exists() else write_digits(place, side=int(name.split("-")[1]))


def _parts(source: Path, seed: int) -> Split:
    return divide(
        GenerateJob().open(source),
        val_fraction=VAL_FRACTION,
        test_fraction=TEST_FRACTION,
        seed=seed,
    )


def _read(engine: Engine, samples: Any) -> tuple[np.ndarray, np.ndarray]:
    most = np.linspace(0, len(samples) - 1, min(5000, len(samples))).astype(np.int64)
    batches = list(engine.loader(samples.take(most)).batches())
    return (
        np.concatenate([batch.images.numpy() for batch in batches]),
        np.concatenate([batch.labels.numpy() for batch in batches]),
    )


def _shares() -> tuple[str, ...]:
    return (f"data.val_fraction={VAL_FRACTION}", f"data.test_fraction={TEST_FRACTION}")


def _sets(settings: Sequence[str]) -> list[str]:
    return [f"--set={setting}" for setting in settings]
