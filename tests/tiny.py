"""Tiny worlds that several test folders share: coloured pictures in class folders, a run on them.

Everything here is drawn and trained in seconds; nothing is read from outside the test's folder.
"""

import functools
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from typer.testing import CliRunner, Result

import saccade
from saccade.cli import app
from saccade.config.json import override
from saccade.config.model import VitConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.planning.classify import classify
from saccade.planning.facts import Facts
from saccade.tasks.build import build_classifier, build_task
from saccade.tasks.classify import Classify
from saccade.verbs.trained import TrainResult
from saccade.weights.write import write

REPOSITORY = Path(__file__).resolve().parents[1]

CLASSES = ("apple", "leaf", "sky")
"""Red, green and blue, so that a few steps are enough to tell them apart."""

# Precision is measured when a run starts, so it is pinned wherever two runs must be equal.
SETTINGS = {
    "data.batch_size": "16",
    "data.num_threads": "1",
    "precision": "fp32",
    "optim.average": "0.1",
    "log_every": "5",
    "evaluate_every": "9",
    "save_every": "7",
}


class World(NamedTuple):
    """A source, the run trained on it, and what training returned."""

    source: Path
    run: Path
    result: TrainResult


def draw(rng: np.random.Generator, label: int, *, side: int = 16) -> Image.Image:
    """A noisy picture in its class's colour."""
    image = rng.integers(0, 120, (side, side, 3))
    image[..., label % 3] += 120
    return Image.fromarray(image.astype(np.uint8))


def draw_folder(
    folder: Path,
    *,
    classes: Sequence[str] = CLASSES,
    count: int = 24,
    side: int = 16,
    seed: int = 0,
) -> Path:
    """A class folder with ``count`` PNG pictures in each class."""
    rng = np.random.default_rng(seed)
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            draw(rng, label, side=side).save(folder / name / f"{number:03d}.png")
    return folder


def facts(*, num_pictures: int = 72, mirror_ratio: float = 1.0, side: int = 16) -> Facts:
    """Facts as a recipe would find them."""
    return Facts(
        num_pictures=num_pictures,
        num_classes=3,
        side=side,
        is_grey=False,
        mean=(0.5, 0.4, 0.3),
        std=(0.25, 0.25, 0.25),
        mirror_ratio=mirror_ratio,
    )


def config(model: str = "rag-pico4", *, steps: int = 40, **settings: str) -> RunConfig:
    """A complete config for 16 x 16 pictures; ``optim__lr="1"`` sets ``optim.lr``."""
    made = classify(
        facts(),
        source="pictures",
        model=model,
        image_size=16,
        steps=steps,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=0,
    )
    return override(made, {name.replace("__", "."): value for name, value in settings.items()})


def preprocess(side: int = 16) -> Preprocess:
    """Of RGB pictures that are ``side`` pixels high and wide."""
    return Preprocess(
        height=side, width=side, channels=3, fit="crop", mean=(0.5,) * 3, std=(0.25,) * 3
    )


def task(of: RunConfig) -> Classify:
    """A fresh task for the three classes."""
    found = build_task(of, class_names=CLASSES, preprocess=preprocess())
    assert isinstance(found, Classify)
    return found


@functools.cache
def world() -> World:
    """A trained run, made once per session; look at it, but change nothing in it."""
    _OPEN.append(tempfile.TemporaryDirectory(prefix="saccade-tests-"))
    base = Path(_OPEN[-1].name)
    source = draw_folder(base / "pictures")
    result = saccade.train(
        source,
        base / "run",
        model="rag-pico4",
        steps=30,
        settings=SETTINGS,
        device="cpu",
        is_quiet=True,
    )
    return World(source, base / "run", result)


_OPEN: list[tempfile.TemporaryDirectory] = []  # kept until the session ends, then removed


def foreign_config(*, side: int = 16, patch_size: int = 4) -> VitConfig:
    """A small vision transformer as other libraries know it."""
    cells = side // patch_size
    return VitConfig(
        embed_dim=32,
        depth=2,
        num_heads=2,
        mlp_ratio=2.0,
        patch_size=patch_size,
        stem="patches",
        position="learned",
        residual="prenorm",
        num_registers=0,
        has_class_token=True,
        drop_path=0.0,
        position_grid=(1, cells, cells),
        num_prefix_positions=1,
        position_antialias=False,
        pool="class",
    )


def foreign_task(class_names: tuple[str, ...] = CLASSES, *, side: int = 16) -> Classify:
    """A classifier of that shape with random numbers in every tensor, its head too."""
    made = build_classifier(
        foreign_config(side=side),
        class_names=class_names,
        preprocess=foreign_preprocess(side),
        seed=0,
        label_smoothing=0.0,
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return made.eval()


def foreign_preprocess(side: int = 16) -> Preprocess:
    """Another mean than the pictures have, and another way to make them fit."""
    return Preprocess(
        height=side,
        width=side,
        channels=3,
        fit="squash",
        mean=(0.6, 0.5, 0.4),
        std=(0.2, 0.3, 0.4),
        interpolation="bicubic",
    )


def foreign_weights(
    folder: Path,
    class_names: tuple[str, ...] = CLASSES,
    *,
    side: int = 16,
    licence: str = "cc-by-4.0",
) -> Path:
    """``foreign_task`` as a folder of transformers; without class names it has no head."""
    named = foreign_task(class_names, side=side).state_dict()
    tensors = {k: v for k, v in named.items() if class_names or not k.startswith("head.")}
    write(
        tensors,
        foreign_config(side=side),
        class_names,
        foreign_preprocess(side),
        library="transformers",
        folder=folder,
    )
    (folder / "README.md").write_text(f"---\nlicense: {licence}\n---\n")
    return folder


def command(*arguments: object) -> list[str]:
    """The real command line, as a list for ``subprocess``."""
    return [sys.executable, "-m", "saccade", *map(str, arguments)]


def train_command(source: Path, out: Path, **settings: str) -> list[str]:
    """A small but complete training; ``model`` and ``steps`` and any setting can be changed."""
    named = {name.replace("__", "."): value for name, value in settings.items()}
    model, steps = named.pop("model", "rag-pico4"), named.pop("steps", "40")
    sets = [f"--set={name}={value}" for name, value in (SETTINGS | named).items()]
    return command(
        "train", source, "--out", out, "--model", model, "--steps", steps, "--device", "cpu", *sets
    )


def call(*arguments: object) -> Result:
    """The command line in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """For child processes: one thread, and the checkout's package, wherever they start."""
    paths = f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, **(extra or {})}


def run_command(
    arguments: list[str],
    *,
    cwd: Path | None = None,
    largest_file: int | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end.

    Args:
        arguments: the command.
        cwd: where it starts.
        largest_file: no file of the child can grow beyond this many bytes, as on a full disk.
        timeout: seconds, after which a hanging child fails the test.
    """
    return subprocess.run(
        arguments,
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        preexec_fn=None if largest_file is None else _limit(largest_file),
        check=False,
    )


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, for "nothing was changed"."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def same_bits(a: Mapping[str, torch.Tensor], b: Mapping[str, torch.Tensor]) -> bool:
    """Whether two sets of tensors agree in names, types, shapes and every bit."""
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and torch.equal(_bits(a[name]), _bits(b[name])) for name in a
    )


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _limit(num_bytes: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))
