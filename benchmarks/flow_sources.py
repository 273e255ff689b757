"""Pictures that the benchmarks of generation and translation learn from, written as folders."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.harness import shared_data

NUM_TINTS = 8
"""Colours that a training digit comes in."""

SPLITS = ("train", "test", "train", "test", "train", "test", "train", "test", "train", "val")
"""Of ten digits in a row; half for training, 719 for the test."""


def write_digits(folder: Path, *, side: int) -> Path:
    """scikit-learn's 1,797 digits, enlarged, in a folder for each class.

    Args:
        folder: to make.
        side: pixels a side.
    """
    for number, (image, label) in enumerate(_digits(side)):
        place = folder / str(label)
        place.mkdir(parents=True, exist_ok=True)
        image.save(place / f"{number:04d}.png")
    return folder


def write_tinted(folder: Path, *, side: int) -> Path:
    """The same digits, each in a bright colour of its own on a dark ground of another.

    Every training digit is there in ``NUM_TINTS`` colours: with one each, a network that sees it
    often enough knows its colour by heart and gives that to test digits of a like shape, where
    nothing but a guess can be right. A digit is in one split alone.

    Args:
        folder: to make, with ``train``, ``val`` and ``test`` in it.
        side: pixels a side.
    """
    rng = np.random.default_rng(0)
    for number, (image, _) in enumerate(_digits(side)):
        split = SPLITS[number % len(SPLITS)]
        (folder / split).mkdir(parents=True, exist_ok=True)
        for tint in range(NUM_TINTS if split == "train" else 1):
            tinted(np.asarray(image), rng).save(folder / split / f"{number:04d}-{tint}.png")
    return folder


def tinted(grey: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """A grey picture between a dark and a bright colour, each of a random hue.

    All dark colours are equally bright, and so are all bright ones, so brightness tells no hue.
    """
    dark, bright = _colour(rng, luma=0.25, chroma=0.1), _colour(rng, luma=0.6, chroma=0.2)
    share = grey[:, :, None] / 255
    return Image.fromarray((255 * (dark + (bright - dark) * share)).round().astype(np.uint8))


def _digits(side: int) -> Iterator[tuple[Image.Image, int]]:
    from sklearn.datasets import load_digits  # noqa: PLC0415 - a second of import for one source

    digits = load_digits()
    for image, label in zip(digits.images, digits.target, strict=True):
        grey = Image.fromarray((image * 255 / 16).astype(np.uint8))
        yield grey.resize((side, side), Image.Resampling.BICUBIC), int(label)


def _colour(rng: np.random.Generator, *, luma: float, chroma: float) -> np.ndarray:
    """Red, green and blue of a random hue, by the differences of ITU-R BT.601."""
    angle = rng.uniform(0, 2 * np.pi)
    blue, red = chroma * np.cos(angle), chroma * np.sin(angle)
    return np.array(
        [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue]
    )


def unzip_facades(folder: Path) -> Path:
    """The facades, labels at the right becoming photographs at the left."""
    place = folder / "right-left"
    with zipfile.ZipFile(shared_data("facades") / "facades_pairs.zip") as archive:
        archive.extractall(place)
    return place
