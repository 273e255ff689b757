"""demo: every job on a world that needs no network."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.backbones.sizes import parse_name
from saccade.config.task import JobName
from saccade.data.canvas.scenes import SceneConfig
from saccade.data.canvas.writing import (
    Amounts,
    write_class_maps,
    write_clips,
    write_objects,
    write_pairs,
)
from saccade.errors import UsageError, nearest
from saccade.planning.budget import parse_seconds
from saccade.run.folder import refuse_taken
from saccade.verbs.train import train
from saccade.verbs.trained import TrainResult
from saccade.verbs.voice import Voice

BUDGET = "150s"


def demo(
    *,
    job: str = "classify",
    out: str | Path | None = None,
    model: str | None = None,
    budget: str = BUDGET,
    seed: int = 0,
    is_quiet: bool = False,
) -> TrainResult:
    """Trains on handwritten digits that come with scikit-learn, in the form that a job learns from.

    - ``classify``, ``embed``, ``generate``, ``pretrain``: 1,797 pictures of one digit each, in
      class folders; to ``pretrain`` their classes are for the report only.
    - ``detect``: digits on textured canvases, with their boxes as COCO has them.
    - ``segment``: the same, with a mask for each picture.
    - ``video``: clips of a digit that moves in one of eight directions, as folders of frames.
    - ``translate``: digits on textures, and the same digits in white on black.

    Args:
        job: one of these.
        out: the folder to make, with the pictures and ``run/`` in it; None: ``saccade-demo`` here,
            or the next free ``saccade-demo-2``, ...
        model: as for ``train``.
        budget: as for ``train``.
        seed: of everything random.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: an unknown job, model or budget, or a folder in the way; nothing was written.
    """
    world = next((world for known, world in _WORLDS.items() if known == job), None)
    if world is None:
        raise UsageError(f"there is no demo of {job!r}; {nearest(job, _WORLDS)}")
    folder = _free_folder() if out is None else Path(out)
    refuse_taken(folder)
    parse_seconds(budget)  # refused before anything is written, and so is a model of no such name
    if model is not None:
        parse_name(model)
    voice = Voice(is_quiet=is_quiet)
    start = time.monotonic()
    place = folder / world.folder
    world.write(place, seed)
    voice.say(f"wrote {world.what} to {place} in {time.monotonic() - start:.1f} s")
    return train(
        place,
        folder / "run",
        job=job,
        model=model or world.model,
        budget=budget,
        settings=world.settings,
        seed=seed,
        is_quiet=is_quiet,
    )


def write_digits(folder: Path) -> None:
    """Writes scikit-learn's digits (8 x 8 pixels, 0 to 16) as PNG files, a folder per class."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - a second of import for one verb

    digits, labels = load_digits(return_X_y=True)  # N 64, each 0 to 16
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
    images = np.round(np.asarray(digits) * 255 / 16).astype(np.uint8).reshape(-1, 8, 8)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{number:04d}.png")


@dataclass(frozen=True, kw_only=True)
class _World:
    """What a demo learns from.

    Attributes:
        folder: what the pictures' folder is called.
        what: is written, in words.
        write: given the folder and a seed.
        model, settings: as for ``train``.
    """

    folder: str
    what: str
    write: Callable[[Path, int], None]
    model: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


# Small enough to be learned in two minutes on two cores, large enough to look at.
_CANVAS = SceneConfig(height=48, width=48, max_characters=3, min_size=14.0, max_size=26.0)
AMOUNTS = Amounts(train=3000, val=200, test=300)
"""How many pictures, or clips, are drawn."""

_UNMIRRORED = {"augment.flip": "0"}  # a mirrored digit is another one, or none


def _write_digits(folder: Path, _seed: int) -> None:
    write_digits(folder)  # the same for every seed


def _write_objects(folder: Path, seed: int) -> None:
    write_objects(folder, AMOUNTS, seed=seed, config=_CANVAS)


def _write_class_maps(folder: Path, seed: int) -> None:
    write_class_maps(folder, AMOUNTS, seed=seed, config=_CANVAS)


def _write_clips(folder: Path, seed: int) -> None:
    write_clips(folder, AMOUNTS, seed=seed)


def _write_pairs(folder: Path, seed: int) -> None:
    write_pairs(folder, AMOUNTS, seed=seed)


_DIGITS = _World(folder="digits", what="1,797 handwritten digits", write=_write_digits, model="rag")
_WORLDS: dict[JobName, _World] = {
    "classify": _DIGITS,
    "detect": _World(
        folder="canvases",
        what="3,500 canvases with 1 to 3 digits",
        write=_write_objects,
        model="rag-pico8",
        settings={**_UNMIRRORED, "data.image_size": "48"},
    ),
    "segment": _World(
        folder="canvases",
        what="3,500 canvases with 1 to 3 digits",
        write=_write_class_maps,
        settings=_UNMIRRORED,
    ),
    "video": _World(
        folder="clips",
        what="3,500 clips of moving digits",
        write=_write_clips,
        model="vit-pico8",
        settings={"task.input": "changes"},  # what moves; the texture behind it stands still
    ),
    "embed": replace(_DIGITS, model=None),
    "generate": replace(_DIGITS, model="vit-pico4"),  # patches of 2 learn and draw far more slowly
    "translate": _World(
        folder="pairs", what="3,500 digits on textures, and in white on black", write=_write_pairs
    ),
    # Not on textures: their views agree by the texture, and nothing is learned of digits.
    "pretrain": replace(_DIGITS, model=None),
}


def _free_folder() -> Path:
    names = (
        Path("saccade-demo" if number == 1 else f"saccade-demo-{number}") for number in count(1)
    )
    return next(path for path in names if not path.exists())
