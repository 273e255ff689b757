"""Runs that learned from a teacher, tiny, each made once per session; look, but change nothing."""

import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np

import saccade
from saccade.verbs.trained import TrainResult
from tests import tiny

SETTINGS = tiny.SETTINGS | {"evaluate_every": "4", "save_every": "4"}
STEPS = 8

_OPEN: list[tempfile.TemporaryDirectory] = []  # kept until the session ends, then removed


@functools.cache
def flat() -> Path:
    """Thirty pictures of three kinds, which nobody says."""
    folder = new_folder() / "flat"
    folder.mkdir()
    for number in range(30):
        tiny.draw(np.random.default_rng(number), number).save(folder / f"{number:02d}.png")
    return folder


@functools.cache
def teacher() -> Path:
    """A copy of the run that other tests look at, so that it can be taken away."""
    return shutil.copytree(tiny.world().run, new_folder() / "teacher")


@functools.cache
def distilled(method: str, *, has_labels: bool) -> TrainResult:
    """A convolutional network that learned from it."""
    return saccade.distill(
        tiny.world().source if has_labels else flat(),
        new_folder() / "run",
        teacher=teacher(),
        method=method,
        model="cnn-pico4",
        steps=STEPS,
        settings=SETTINGS,
        device="cpu",
        is_quiet=True,
    )


def new_folder() -> Path:
    """An empty one that lasts as long as the tests."""
    _OPEN.append(tempfile.TemporaryDirectory(prefix="saccade-tests-"))
    return Path(_OPEN[-1].name)
