"""Runs that learned without labels, tiny, each made once per session; look, but change nothing."""

import functools
import tempfile
from pathlib import Path

import saccade
from saccade.verbs.trained import TrainResult
from tests import tiny

SETTINGS = tiny.SETTINGS | {
    "evaluate_every": "4",
    "save_every": "4",
    "task.num_local_views": "1",
    "task.projector_hidden": "16",
    "task.projector_dim": "8",
    "task.num_slices": "8",
    "task.num_prototypes": "16",
}
STEPS = 6

_OPEN: list[tempfile.TemporaryDirectory] = []  # kept until the session ends, then removed


@functools.cache
def source() -> Path:
    """Three classes of 24 pictures."""
    return tiny.draw_folder(_folder() / "pictures")


@functools.cache
def pretrained(method: str) -> TrainResult:
    """A run of this method on them."""
    return saccade.pretrain(
        source(),
        _folder() / "run",
        method=method,
        model="vit-pico4",
        steps=STEPS,
        settings=SETTINGS,
        device="cpu",
        is_quiet=True,
    )


def _folder() -> Path:
    _OPEN.append(tempfile.TemporaryDirectory(prefix="saccade-tests-"))
    return Path(_OPEN[-1].name)
