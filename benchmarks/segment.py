"""Segmentation: digits on textures by three methods, and cell nuclei against a threshold.

    python -m benchmarks segment                    trains what is missing, see --help
    python -m benchmarks segment --collect          what there is to results/segment.json

Canvases are those of ``saccade demo --job segment``: 64 px, 1 to 4 digits of 14 to 32 px, and the
handwriting of the test canvases is in no training canvas. Beside the methods stand controls:
everything called background, the linear head on a backbone that keeps its random weights, and eomt
whose patches are not taught classes.
Nuclei are those of shared/data (a random split, see there), beside Otsu's threshold, the smaller
side of it taken for nuclei. All figures are in the pictures' own pixels. A training is of a fixed
number of steps.
"""

import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from benchmarks.harness import saccade, shared_data
from benchmarks.ledger import Training, cpu_seconds, run_cases
from saccade.data.annotated import open_masks
from saccade.data.annotations import ClassMap, Segments
from saccade.data.canvas.scenes import SceneConfig
from saccade.data.canvas.writing import Amounts, write_class_maps, write_objects
from saccade.data.samples import Samples
from saccade.metrics.segment import MapMetrics

CANVAS = SceneConfig(height=64, width=64, max_characters=4, min_size=14.0, max_size=32.0)
AMOUNTS = Amounts(train=4000, val=200, test=400)


@dataclass(frozen=True)
class Case:
    """One training.

    Attributes:
        source: ``classes`` or ``objects`` on canvases, or ``nuclei``.
        model: its name.
        steps: optimiser steps.
        settings: further numbers.
    """

    source: str
    model: str
    steps: int
    settings: tuple[str, ...] = ()


LINEAR = Case("classes", "rag-nano4", 1400, ("task.method=linear",))
OBJECTS = Case("objects", "rag-nano4", 2000)
CASES = {
    "linear": LINEAR,
    "upsample": replace(LINEAR, settings=("task.method=upsample",)),
    "random weights": replace(
        LINEAR, steps=300, settings=("task.method=linear", "optim.freeze=backbone.*")
    ),
    "eomt": OBJECTS,
    "eomt without patches": replace(OBJECTS, settings=("task.patch_weight=0",)),
    "nuclei": Case(
        "nuclei",
        "rag-nano8",
        600,
        ("task.method=upsample", "data.image_size=192", "data.batch_size=8"),
    ),
}
FIGURES = ("miou", "dice", "pixel_accuracy", "ap", "ap50", "pq")


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    run_cases(arguments, benchmark="segment", cases=CASES, train=train_case, controls=controls)


def train_case(training: Training) -> dict[str, Any]:
    """Trains one model and judges it on the test pictures."""
    case, seed = CASES[training.case], training.seed
    with tempfile.TemporaryDirectory() as folder:
        source = write_source(case.source, Path(folder) / "source", seed)
        before = cpu_seconds()
        settings = [word for each in case.settings for word in ("--set", each)]
        command = ["train", str(source), "--job", "segment", "--model", case.model]
        command += ["--steps", str(case.steps), "--seed", str(seed), *settings]
        trained, seconds = saccade(*command, "--out", f"{folder}/run")
    metrics = {name: round(value, 4) for name, value in trained["metrics"].items()}
    return {
        "n": trained["n"],
        **{name: metrics[name] for name in FIGURES if name in metrics},
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds() - before, 1),
    }


def write_source(source: str, folder: Path, seed: int) -> Path:
    """The pictures of a case."""
    match source:
        case "classes":
            write_class_maps(folder, AMOUNTS, seed=seed, config=CANVAS)
        case "objects":
            write_objects(folder, AMOUNTS, seed=seed, config=CANVAS)
        case _:
            with zipfile.ZipFile(shared_data("nuclei_dsb2018") / "nuclei.zip") as file:
                file.extractall(folder)
    return folder


def controls() -> dict[str, dict[str, float]]:
    """What costs nothing: all background on canvases, a threshold on nuclei."""
    with tempfile.TemporaryDirectory() as folder:
        canvases = write_source("classes", Path(folder) / "source", 0)
        test = open_masks(canvases).splits["test"]
        background = _judged(test, ("background", *"0123456789"), lambda grey: grey < 0)
    with tempfile.TemporaryDirectory() as folder:
        nuclei = open_masks(write_source("nuclei", Path(folder) / "source", 0)).splits["test"]
        threshold = _judged(nuclei, ("background", "nucleus"), below_or_above_otsu)
    return {"background": background, "otsu": threshold}


def below_or_above_otsu(grey: UInt8[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The smaller of the two parts that Otsu's threshold makes of a picture.

    The threshold is where the variance between the two parts is largest (IEEE Transactions on
    Systems, Man, and Cybernetics 9, 1979).
    """
    shares = np.bincount(grey.ravel(), minlength=256) / grey.size
    below, mass = shares.cumsum(), (shares * np.arange(256)).cumsum()
    spread_of = below * (1 - below)
    between = np.divide(
        (mass[-1] * below - mass) ** 2, spread_of, out=np.zeros(256), where=spread_of > 1e-12
    )
    is_above = grey > between.argmax()
    return is_above if is_above.mean() <= 0.5 else ~is_above


def _judged(samples: Samples, names: tuple[str, ...], say: Any) -> dict[str, float]:
    metrics = MapMetrics(names)
    assert samples.annotations is not None
    for i in samples.ids.tolist():
        truth = samples.annotations.load(i)
        grey = samples.pictures.load(i, channels=1, min_side=None)[:, :, 0]
        if isinstance(truth, ClassMap):
            classes = truth.classes
        else:
            assert isinstance(truth, Segments)
            classes = (truth.segments > 0).astype(np.uint8)
        metrics.update(say(grey).astype(np.uint8), classes)
    return {name: round(each.value, 4) for name, each in metrics.metrics().items()}
