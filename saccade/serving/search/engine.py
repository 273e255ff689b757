"""What every search engine does: take vectors, find the nearest, go to disk."""

from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64


class Neighbours(NamedTuple):
    """What is nearest to each query.

    Attributes:
        similarities: products of query and neighbour, highest first: cosines of unit vectors.
        rows: which vectors those are, counted from 0 in the order in which they were added. Of
            equally near ones the smaller row comes first.
    """

    similarities: Float32[np.ndarray, "Q k"]
    rows: Int64[np.ndarray, "Q k"]


@runtime_checkable
class SearchEngine(Protocol):
    """Holds vectors and finds the nearest of them."""

    def __len__(self) -> int:
        """How many vectors it holds."""
        ...

    def add(self, vectors: Float32[np.ndarray, "n D"]) -> None:
        """Takes more vectors, of unit length."""
        ...

    def search(self, queries: Float32[np.ndarray, "Q D"], k: int) -> Neighbours:
        """The ``k`` nearest to each query; all of them where there are fewer."""
        ...

    def save(self, path: Path) -> None:
        """Writes what it holds into one file, over whatever is there."""
        ...
