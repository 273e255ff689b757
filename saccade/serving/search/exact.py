"""Exact search: every query against every vector, a block of the gallery at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from saccade.serving.search.engine import Neighbours
from saccade.serving.search.rows import open_rows, write_rows
from saccade.transformer.linear import prefers_onednn

BLOCK = 8192
"""Vectors of the gallery multiplied at a time: with 384 numbers each, 12 MB. Measured by
``python -m benchmarks engines``: 4,096 to 8,192 are best, 1,024 takes 1.5 times as long."""

QUERIES = 256
"""Queries multiplied at a time, so that the similarities of a block stay in the cache."""

GROUP = 64
"""The best ``k`` lie in the ``k`` groups with the highest maxima; looking for those first costs a
tenth of looking through everything."""

FEW_QUERIES = 2
"""Up to so many, reading the gallery is all the work, and a matrix-vector product does it best."""

FEW_BLOCK = 2**18
"""Vectors multiplied at a time for so few: their similarities fit the cache, many of them."""


class ExactSearch:
    """The reference, and the default: nothing is missed, and nothing but the vectors is kept.

    Products are summed in fp32.

    Args:
        embed_dim: numbers in a vector.
    """

    def __init__(self, embed_dim: int) -> None:
        self._parts = [np.empty((0, embed_dim), np.float32)]
        self._count = 0

    def __len__(self) -> int:
        """How many vectors it holds."""
        return self._count

    def add(self, vectors: Float32[np.ndarray, "n D"]) -> None:
        """Takes more vectors, of unit length; an array that lies row by row is not copied."""
        assert vectors.shape[1] == self._parts[0].shape[1]
        if len(vectors):
            # Of rows that lie apart oneDNN makes products a hundred times as slowly.
            self._parts.append(np.ascontiguousarray(vectors))
            self._count += len(vectors)

    def search(self, queries: Float32[np.ndarray, "Q D"], k: int) -> Neighbours:
        """The ``k`` nearest to each query; all of them where there are fewer.

        The plain version::

            similarities = queries @ vectors.T
            rows = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
        """
        assert k >= 1
        k = min(k, self._count)
        found = [_search(part, list(self._blocks(len(part))), k) for part in _split(queries)]
        return Neighbours(
            np.concatenate([each.similarities for each in found])
            if found
            else np.empty((0, k), np.float32),
            np.concatenate([each.rows for each in found]) if found else np.empty((0, k), np.int64),
        )

    def save(self, path: Path) -> None:
        """Writes all vectors as one ``.npy`` file, without a second copy in memory."""
        write_rows(path, self._parts[1:], width=self._parts[0].shape[1])

    def vectors(self) -> Float32[np.ndarray, "n D"]:
        """All that it holds, as one array."""
        return self._parts[1] if len(self._parts) == 2 else np.concatenate(self._parts)

    def _blocks(self, num_queries: int) -> Iterator[Float32[np.ndarray, "_n D"]]:
        rows = FEW_BLOCK if num_queries <= FEW_QUERIES else BLOCK
        for part in self._parts[1:]:
            for start in range(0, len(part), rows):
                yield part[start : start + rows]


def open_exact(path: Path) -> ExactSearch:
    """Vectors as ``save`` wrote them, read from disk as they are needed."""
    vectors = open_rows(path)
    engine = ExactSearch(vectors.shape[1])
    engine.add(vectors)
    return engine


def _split(queries: Float32[np.ndarray, "Q D"]) -> Iterator[Float32[np.ndarray, "q D"]]:
    for start in range(0, len(queries), QUERIES):
        yield np.ascontiguousarray(queries[start : start + QUERIES])


def _search(
    queries: Float32[np.ndarray, "q D"], blocks: list[Float32[np.ndarray, "_n D"]], k: int
) -> Neighbours:
    """Keeps the best k + 1 of the blocks seen so far: one more shows whether the cut is a tie."""
    values = torch.empty(len(queries), 0)
    rows = torch.empty(len(queries), 0, dtype=torch.int64)
    start = 0
    for block in blocks:
        new_values, new_rows = _best(_products(queries, block), k + 1)
        values = torch.cat([values, new_values], dim=1)
        rows = torch.cat([rows, new_rows + start], dim=1)
        values, kept = values.topk(min(k + 1, values.shape[1]), dim=1)
        rows = rows.gather(1, kept)
        start += len(block)

    values, rows = _in_order(values, rows)
    if values.shape[1] > k:
        is_tied = values[:, k - 1] == values[:, k]
        if is_tied.any():
            rows[is_tied, :k] = _settle(queries, blocks, is_tied, values[:, k - 1], k)
    return Neighbours(values[:, :k].contiguous().numpy(), rows[:, :k].contiguous().numpy())


def _products(
    queries: Float32[np.ndarray, "q D"], block: Float32[np.ndarray, "n D"]
) -> Float32[Tensor, "q n"]:
    if len(queries) <= FEW_QUERIES:
        return torch.from_numpy(np.stack([block @ query for query in queries]))
    left, right = torch.from_numpy(queries), torch.from_numpy(block)
    if prefers_onednn():  # twice as fast there as MKL; see saccade.transformer.linear
        return torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], "")
    return left @ right.T


def _best(
    products: Float32[Tensor, "q n"], k: int
) -> tuple[Float32[Tensor, "q k"], Int64[Tensor, "q k"]]:
    """The highest k of each row, in any order, and where they are; of equal ones, any."""
    count, num_columns = products.shape
    whole = num_columns // GROUP * GROUP
    if whole < 2 * k * GROUP:
        return products.topk(min(k, num_columns), dim=1)
    grouped = products[:, :whole].unflatten(1, (-1, GROUP))
    groups = grouped.amax(dim=2).topk(k, dim=1, sorted=False).indices  # q k
    inside = grouped.gather(1, groups[:, :, None].expand(-1, -1, GROUP)).flatten(1)
    columns = (groups[:, :, None] * GROUP + torch.arange(GROUP)).flatten(1)
    rest = torch.arange(whole, num_columns).expand(count, -1)
    inside = torch.cat([inside, products[:, whole:]], dim=1)
    values, kept = inside.topk(k, dim=1)
    return values, torch.cat([columns, rest], dim=1).gather(1, kept)


def _in_order(
    values: Float32[Tensor, "q k"], rows: Int64[Tensor, "q k"]
) -> tuple[Float32[Tensor, "q k"], Int64[Tensor, "q k"]]:
    """Highest value first, and of equal values the smallest row."""
    rows, order = rows.sort(dim=1)
    values, again = values.gather(1, order).sort(dim=1, descending=True, stable=True)
    return values, rows.gather(1, again)


def _settle(
    queries: Float32[np.ndarray, "q D"],
    blocks: list[Float32[np.ndarray, "_n D"]],
    is_tied: Bool[Tensor, " q"],
    last: Float32[Tensor, " q"],
    k: int,
) -> Int64[Tensor, "tied k"]:
    """The rows of queries whose k-th neighbour is as near as the next: the first such rows.

    The products are computed as before, all queries together: alone they could differ by a
    rounding.
    """
    products = torch.cat([_products(queries, block)[is_tied] for block in blocks], dim=1)
    found = []
    for row, value in zip(products, last[is_tied], strict=True):
        near = (row >= value).nonzero()[:, 0]  # in order, so that a stable sort keeps the first
        found.append(near[row[near].argsort(descending=True, stable=True)[:k]])
    return torch.stack(found)
