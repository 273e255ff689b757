"""Some samples at a time: read from where they lie, or taken from memory."""

import math
import threading
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8

from saccade.config.run import Preprocess
from saccade.data.annotations import Annotation
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.example import example_shape, read_example
from saccade.data.samples import Samples

_ANNOTATION_BYTES = 4  # of a pixel, at most: a segment map


class Read(NamedTuple):
    """What became of some samples: the examples, where they came from, why others are missing.

    Attributes:
        images: in the model's size.
        annotations, sizes: one for each image, or none at all; see ``Example``.
        positions: of the images in the samples.
        bad: the reasons of the others, by position.
    """

    images: UInt8[np.ndarray, "n C H W"] | UInt8[np.ndarray, "n T C H W"]
    annotations: list[Annotation]
    sizes: list[tuple[int, int]]
    positions: Int64[np.ndarray, " n"]
    bad: dict[int, str]


class Cache(NamedTuple):
    """All examples in memory, and the row in which each position lies."""

    images: UInt8[np.ndarray, "N C H W"] | UInt8[np.ndarray, "N T C H W"]
    annotations: list[Annotation | None]
    sizes: list[tuple[int, int] | None]
    rows: Int64[np.ndarray, " n"]

    def put(self, read: Read) -> None:
        """Keeps what was read; every position is its own row."""
        self.images[read.positions] = read.images
        positions = read.positions.tolist()
        if read.annotations and not self.annotations:
            self.annotations.extend([None] * len(self.images))
        for position, annotation in zip(positions, read.annotations, strict=False):
            self.annotations[position] = annotation
        if read.sizes and not self.sizes:
            self.sizes.extend([None] * len(self.images))
        for position, size in zip(positions, read.sizes, strict=False):
            self.sizes[position] = size

    def take(self, positions: Int64[np.ndarray, " n"]) -> Read:
        """The examples at these positions, in this order; they were read."""
        rows = self.rows[positions]
        chosen = rows.tolist()
        annotations = [self.annotations[row] for row in chosen] if self.annotations else []
        sizes = [self.sizes[row] for row in chosen] if self.sizes else []
        return Read(
            np.ascontiguousarray(self.images[rows]),
            [each for each in annotations if each is not None],
            [each for each in sizes if each is not None],
            positions,
            {},
        )


def empty_cache(num_samples: int, preprocess: Preprocess) -> Cache:
    """Room for so many examples."""
    images = np.empty((num_samples, *example_shape(preprocess)), dtype=np.uint8)
    return Cache(images, [], [], np.arange(num_samples))


def example_bytes(samples: Samples, preprocess: Preprocess) -> int:
    """The memory that one example takes, annotation and all."""
    annotation = 0 if samples.annotations is None else _ANNOTATION_BYTES
    return math.prod(example_shape(preprocess)) + annotation * preprocess.height * preprocess.width


def read_many(
    samples: Samples,
    positions: Int64[np.ndarray, " n"],
    preprocess: Preprocess,
    *,
    keeps_sizes: bool,
    stop: threading.Event,
) -> Read:
    """Reads the samples at these positions, in this order; the bad ones are left out and named.

    Args:
        samples: where to read.
        positions: which.
        preprocess: the size of every image.
        keeps_sizes: whether to say how large each picture was.
        stop: looked at between two pictures.
    """
    images = np.empty((len(positions), *example_shape(preprocess)), dtype=np.uint8)
    annotations: list[Annotation] = []
    sizes: list[tuple[int, int]] = []
    good: list[int] = []
    bad: dict[int, str] = {}
    for position in positions.tolist():
        if stop.is_set():
            break
        try:
            example = read_example(samples, position, preprocess, keeps_size=keeps_sizes)
        except UnreadablePicture as error:
            bad[position] = str(error)
            continue
        images[len(good)] = example.image
        good.append(position)
        if example.annotation is not None:
            annotations.append(example.annotation)
        if example.size is not None:
            sizes.append(example.size)
    return Read(images[: len(good)], annotations, sizes, np.array(good, dtype=np.int64), bad)
