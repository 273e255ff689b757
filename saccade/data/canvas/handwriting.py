"""Handwritten digits to draw with; those of training, validation and test are other people's."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64, UInt8

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")

# Shares of the pictures in their order. scikit-learn's digits stand writer by writer, so cutting
# them into pieces (and not shuffling them first) keeps a writer on one side.
_BOUNDS = {"train": (0.0, 0.7), "val": (0.7, 0.8), "test": (0.8, 1.0)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Handwriting:
    """Small pictures of written characters.

    Attributes:
        images: ink on nothing, 0 to 1.
        labels: the class of each.
        class_names: the name of each class.
    """

    images: Float32[np.ndarray, "N h w"]
    labels: Int64[np.ndarray, " N"]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


def handwriting(
    images: UInt8[np.ndarray, "N h w"], labels: Int64[np.ndarray, " N"], *, part: Part
) -> Handwriting:
    """A part of any set of written characters, such as MNIST's.

    Args:
        images: 255 is ink.
        labels: 0 to K - 1; their numbers are their names.
        part: ``train`` is the first 70 % of the pictures, ``val`` the next 10 %, ``test`` the rest.
    """
    assert len(images) == len(labels)
    low, high = (round(share * len(images)) for share in _BOUNDS[part])
    return Handwriting(
        images=images[low:high].astype(np.float32) / 255,
        labels=labels[low:high],
        class_names=tuple(str(label) for label in range(int(labels.max()) + 1)),
    )


@cache
def scikit_digits(part: Part) -> Handwriting:
    """The 1,797 digits of 8 x 8 pixels that come with scikit-learn."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - a second of import, for demos only

    values, labels = load_digits(return_X_y=True)  # N 64, each 0 to 16
    images = np.rint(np.asarray(values) * 255 / 16).astype(np.uint8).reshape(-1, 8, 8)
    return handwriting(images, np.asarray(labels, dtype=np.int64), part=part)
