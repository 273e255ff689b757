"""demo: the main job on real data that needs no network."""

import time
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.errors import UsageError, nearest
from saccade.verbs.train import TrainResult, train
from saccade.verbs.voice import Voice

BUDGET = "150s"


def demo(
    *,
    job: str = "classify",
    out: str | Path | None = None,
    model: str = "rag",
    budget: str = BUDGET,
    seed: int = 0,
    is_quiet: bool = False,
) -> TrainResult:
    """Trains on 1,797 handwritten digits that come with scikit-learn, written as a class folder.

    Args:
        job: only ``classify`` so far.
        out: the folder to make, with ``digits/`` and ``run/`` in it; None: ``saccade-demo`` here,
            or the next free ``saccade-demo-2``, ...
        model: as for ``train``.
        budget: as for ``train``.
        seed: of everything random.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: an unknown job, or a folder in the way.
    """
    if job != "classify":
        raise UsageError(f"there is no demo of {job!r}; {nearest(job, ['classify'])}")
    folder = _free_folder() if out is None else Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists already and is never overwritten; choose another --out")
    voice = Voice(is_quiet=is_quiet)
    start = time.monotonic()
    write_digits(folder / "digits")
    voice.say(
        f"wrote 1,797 handwritten digits to {folder / 'digits'} in {time.monotonic() - start:.1f} s"
    )
    return train(
        folder / "digits", folder / "run", model=model, budget=budget, seed=seed, is_quiet=is_quiet
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


def _free_folder() -> Path:
    names = (
        Path("saccade-demo" if number == 1 else f"saccade-demo-{number}") for number in count(1)
    )
    return next(path for path in names if not path.exists())
