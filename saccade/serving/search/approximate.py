"""Approximate search for large galleries: a graph of near vectors (HNSW), by usearch."""

from pathlib import Path
from types import ModuleType

import numpy as np
from jaxtyping import Float32

from saccade.errors import DataError, UsageError
from saccade.serving.search.engine import Neighbours

CONNECTIVITY = 32
"""Edges of each vector."""

EXPANSION_ADD = 128
"""Candidates looked at when a vector is added."""

EXPANSION_SEARCH = 256
"""Candidates looked at for a query; ``python -m benchmarks engines`` measures the recall."""


class ApproximateSearch:
    """Looks at a small part of the gallery; finds nearly all of what exact search finds.

    Vectors are added by as many threads as there are cores, so two graphs of the same vectors need
    not be equal (arXiv 1603.09320).

    Args:
        embed_dim: numbers in a vector.

    Raises:
        UsageError: the extra ``search`` is not installed.
    """

    def __init__(self, embed_dim: int) -> None:
        self._index = require_usearch().Index(
            ndim=embed_dim,
            metric="ip",
            dtype="f32",
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
            expansion_search=EXPANSION_SEARCH,
        )

    def __len__(self) -> int:
        """How many vectors it holds."""
        return len(self._index)

    def add(self, vectors: Float32[np.ndarray, "n D"]) -> None:
        """Takes more vectors, of unit length."""
        start = len(self._index)
        if len(vectors):
            self._index.add(np.arange(start, start + len(vectors)), np.ascontiguousarray(vectors))

    def search(self, queries: Float32[np.ndarray, "Q D"], k: int) -> Neighbours:
        """About the ``k`` nearest to each query; all of them where there are fewer."""
        assert k >= 1
        k = min(k, len(self))
        if len(queries) == 0 or k == 0:
            shape = (len(queries), k)
            return Neighbours(np.empty(shape, np.float32), np.empty(shape, np.int64))
        found = self._index.search(np.ascontiguousarray(queries), k)
        # One query comes back without its axis. The distance of usearch is 1 - product.
        rows = found.keys.reshape(len(queries), k).astype(np.int64)
        similarities = 1 - found.distances.reshape(len(queries), k).astype(np.float32)
        order = np.lexsort((rows, -similarities), axis=1)
        return Neighbours(
            np.take_along_axis(similarities, order, axis=1),
            np.take_along_axis(rows, order, axis=1),
        )

    def save(self, path: Path) -> None:
        """Writes vectors and graph into one file."""
        self._index.save(str(path))

    def load(self, path: Path) -> None:
        """Replaces what it holds by a file that ``save`` wrote.

        Raises:
            DataError: the file is not one, or for vectors of another length.
        """
        ndim = self._index.ndim
        try:
            self._index.load(str(path))
        except (RuntimeError, ValueError) as error:
            raise DataError(f"{path} cannot be read as a search graph ({error})") from None
        if self._index.ndim != ndim:
            raise DataError(f"{path} holds vectors of {self._index.ndim} numbers, not {ndim}")
        self._index.expansion_search = EXPANSION_SEARCH


def open_approximate(path: Path, *, embed_dim: int) -> ApproximateSearch:
    """A graph as ``save`` wrote it.

    Raises:
        UsageError: the extra ``search`` is not installed.
        DataError: the file is not one, or for vectors of another length.
    """
    engine = ApproximateSearch(embed_dim)
    engine.load(path)
    return engine


def require_usearch() -> ModuleType:
    """The library, imported where it is needed and nowhere else.

    Raises:
        UsageError: the extra ``search`` is not installed.
    """
    try:
        import usearch.index  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError(
            "approximate search needs the package usearch: pip install 'saccade[search]'; "
            "the exact engine needs nothing and is quick up to a million pictures"
        ) from None
    return usearch.index
