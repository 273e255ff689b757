"""Runs of tiny generators and translators, made once per session, for several test folders."""

import functools
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

import saccade
from saccade.verbs.trained import TrainResult
from tests import tiny

SETTINGS = {
    **tiny.SETTINGS,
    "model.embed_dim": "16",
    "model.depth": "1",
    "model.num_heads": "2",
    "data.test_fraction": "0.3",
    "task.flow.num_steps": "2",
}


class World(NamedTuple):
    """A source, the run trained on it, and what training returned."""

    source: Path
    run: Path
    result: TrainResult


@functools.cache
def generator() -> World:
    """Trained on three colours; look at it, but change nothing in it."""
    base = _folder()
    source = tiny.draw_folder(base / "pictures", count=10)
    return _train(source, base / "run", "generate", {"task.num_judged": "12"})


@functools.cache
def translator() -> World:
    """Trained on pairs, a picture and its negative; look at it, but change nothing in it."""
    base = _folder()
    source = draw_pairs(base / "pairs")
    return _train(source, base / "run", "translate", {})


@functools.cache
def colouriser() -> World:
    """Trained on pictures whose colours were taken away; change nothing in it."""
    base = _folder()
    source = tiny.draw_folder(base / "pictures", count=8)
    return _train(source, base / "run", "translate", {"task.edit.kind": "colourise"})


def draw_pairs(folder: Path, *, count: int = 24, side: int = 16) -> Path:
    """Two folders, ``input`` and ``target``, with pictures of the same names."""
    rng = np.random.default_rng(0)
    for name in ("input", "target"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        image = np.asarray(tiny.draw(rng, number, side=side))
        Image.fromarray(image).save(folder / "input" / f"{number:03d}.png")
        Image.fromarray(255 - image).save(folder / "target" / f"{number:03d}.png")
    return folder


def _train(source: Path, run: Path, job: str, settings: dict[str, str]) -> World:
    result = saccade.train(
        source,
        run,
        job=job,
        model="vit-pico4",
        steps=8,
        settings=SETTINGS | settings,
        device="cpu",
        is_quiet=True,
    )
    return World(source, run, result)


def _folder() -> Path:
    _OPEN.append(tempfile.TemporaryDirectory(prefix="saccade-tests-"))
    return Path(_OPEN[-1].name)


_OPEN: list[tempfile.TemporaryDirectory] = []  # kept until the session ends, then removed
