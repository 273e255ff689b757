"""Scores that mean the same for every query, so that one threshold serves all."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from saccade.serving.search.exact import ExactSearch
from saccade.serving.search.rows import open_rows

MOST_BACKGROUND = 10_000
"""Vectors that a background holds, evenly spaced over what it is made from."""

NUM_NEAREST = 10
"""Nearest of the background that a query is compared with."""

OWN_SKIPPED = 10
"""Nearest that do not count where the background is the gallery itself: they may be the very copies
that are looked for."""


class Background:
    """Pictures of no interest: how near they come to a query says how near means little.

    A picture of plain sky is close to every other sky; that two of them are close is no sign of a
    copy. On the copy detection set DISC it was worth 11 points of muAP to take away from each
    similarity the mean similarity of the query to its nearest background pictures (arXiv
    2202.10261).

    Args:
        vectors: of unit length.
        num_skipped: the nearest that do not count; of a small background no more than a third.
    """

    def __init__(self, vectors: Float32[np.ndarray, "m D"], *, num_skipped: int) -> None:
        rows = np.linspace(0, len(vectors) - 1, min(len(vectors), MOST_BACKGROUND)).astype(int)
        self.num_skipped = min(num_skipped, len(rows) // 3)
        self._engine = ExactSearch(vectors.shape[1])
        self._engine.add(np.ascontiguousarray(vectors[rows]))

    def level(self, queries: Float32[np.ndarray, "Q D"]) -> Float32[np.ndarray, " Q"]:
        """How near unrelated pictures come to each query; 0 where there are none to tell."""
        found = self._engine.search(queries, self.num_skipped + NUM_NEAREST).similarities
        counted = found[:, self.num_skipped :]
        if counted.shape[1] == 0:
            return np.zeros(len(queries), np.float32)
        return counted.mean(axis=1)

    def save(self, path: Path) -> None:
        """Writes the vectors as ``.npy``."""
        self._engine.save(path)


def open_background(path: Path, *, num_skipped: int) -> Background:
    """A background as ``save`` wrote it."""
    return Background(open_rows(path), num_skipped=num_skipped)


def scores(
    similarities: Float32[np.ndarray, "Q k"], levels: Float32[np.ndarray, " Q"]
) -> Float32[np.ndarray, "Q k"]:
    """Similarities on a scale of their own query: 0 is as near as unrelated pictures come, 1 equal.

    ``(similarity - level) / (1 - level)``: what is left to the level, as a share of all there is.
    """
    return (similarities - levels[:, None]) / np.maximum(1 - levels[:, None], 1e-6)
