"""A tiny world of clips that several test folders share: a bright square goes right or left.

The frames of both classes are alike; only their order differs. Drawn and trained in seconds.
"""

import functools
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

import saccade
from saccade.verbs.trained import TrainResult
from tests.tiny import World

CLASSES = ("left", "right")
NUM_FRAMES = 4
SIDE = 16
SETTINGS = {
    "data.batch_size": "16",
    "data.num_threads": "1",
    "precision": "fp32",
    "optim.average": "0.1",
    "task.num_frames": str(NUM_FRAMES),
    "log_every": "10",
    "evaluate_every": "40",
    "save_every": "40",
}


def draw(rng: np.random.Generator, label: str) -> UInt8[np.ndarray, "T H W 3"]:
    """A clip of ``NUM_FRAMES`` frames."""
    clip = rng.integers(0, 60, (NUM_FRAMES, SIDE, SIDE, 3), dtype=np.uint8)
    top, left = int(rng.integers(SIDE - 5)), int(rng.integers(3))
    for t in range(NUM_FRAMES):
        column = left + 3 * (t if label == "right" else NUM_FRAMES - 1 - t)
        clip[t, top : top + 5, column : column + 4] = 240
    return clip


def write_clips(folder: Path, *, count: int, seed: int = 0) -> Path:
    """``<class>/<clip>/<frame>.png``, so many clips of each class."""
    rng = np.random.default_rng(seed)
    for label in CLASSES:
        for number in range(count):
            clip = folder / label / f"{number:02d}"
            clip.mkdir(parents=True)
            for t, frame in enumerate(draw(rng, label)):
                Image.fromarray(frame).save(clip / f"{t}.png")
    return folder


def train(source: Path, run: Path, *, steps: int, **settings: str) -> TrainResult:
    """Trains on such a folder."""
    return saccade.train(
        source,
        run,
        job="video",
        model="vit-pico4",
        steps=steps,
        settings=SETTINGS | settings,
        device="cpu",
        is_quiet=True,
    )


@functools.cache
def world() -> World:
    """One run on 64 clips, made once for all tests of a process; change nothing in it."""
    _OPEN.append(tempfile.TemporaryDirectory(prefix="saccade-tests-"))
    folder = Path(_OPEN[-1].name)
    source = write_clips(folder / "clips", count=32)
    return World(source, folder / "run", train(source, folder / "run", steps=50))


_OPEN: list[tempfile.TemporaryDirectory] = []  # kept until the session ends, then removed
