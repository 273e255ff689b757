"""Vectors without a model: very small pictures, as they are."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from saccade.config.run import Preprocess
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.preprocess import read_picture
from saccade.data.samples import Samples

SIDE = 16
"""Pixels a side. Enough for copies that were scaled, compressed or recoloured a little; crops and
turns need a model that has learned to see past them."""

_SIZE = Preprocess(
    height=SIDE, width=SIDE, channels=3, fit="squash", mean=(0.5,) * 3, std=(0.25,) * 3
)


class Thumbnails(NamedTuple):
    """Small pictures as vectors of unit length.

    Attributes:
        vectors: of those that could be read.
        positions: which samples those are.
        bad: the others, by name, and why.
    """

    vectors: Float32[np.ndarray, "n D"]
    positions: Int64[np.ndarray, " n"]
    bad: dict[str, str]


def thumbnails(samples: Samples, *, progress: Callable[[int, int], None]) -> Thumbnails:
    """Shrinks every picture, and takes its mean away so that brightness counts for nothing."""
    vectors, positions, bad = [], [], {}
    for position, i in enumerate(samples.ids.tolist()):
        try:
            pixels = read_picture(samples.pictures, i, _SIZE).astype(np.float32).ravel()
        except UnreadablePicture as error:
            bad[samples.pictures.name(i)] = str(error)
            continue
        pixels -= pixels.mean()
        vectors.append(pixels / max(float(np.linalg.norm(pixels)), 1e-6))
        positions.append(position)
        progress(position + 1, len(samples))
    stacked = np.stack(vectors) if vectors else np.empty((0, 3 * SIDE**2), np.float32)
    return Thumbnails(stacked, np.array(positions, dtype=np.int64), bad)
