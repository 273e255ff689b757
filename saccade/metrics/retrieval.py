"""How well a search finds pictures of the asked picture's class: each picture asks all others."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from saccade.metrics.intervals import (
    Estimate,
    percentile_estimate,
    resample_weights,
    wilson,
)

RECALL_AT = (1, 5, 10)
"""Ranks that recall is reported at, where there are more pictures than that."""

NUM_NEAREST = 10
"""Neighbours of each query that a result keeps."""

NUM_RESAMPLES = 500
_CHUNK_CELLS = 4_000_000  # similarities sorted at once


@dataclass(frozen=True, eq=False)
class RetrievalResult:
    """Leave-one-out retrieval over ``n`` pictures.

    Attributes:
        n: number of pictures, each of them once the query and else in the gallery.
        num_alone: queries without any other picture of their class, which no figure counts.
        num_ties: queries for which a right and a wrong answer were equally near; of two such the
            one that comes first in the data counts as nearer.
        metrics: figures by name, as fractions: ``recall_at_1`` (also 5 and 10: the share of
            queries with a right answer among the first so many) and ``map``, the mean over queries
            of the average precision.
        is_asked: whether each picture counts as a query.
        first_right: the rank, from 0, of the nearest right answer; -1 where there is none.
        average_precision: of each query; NaN where there is no right answer.
        nearest: for each query its nearest others, nearest first.
        similarities: cosines of those.
    """

    n: int
    num_alone: int
    num_ties: int
    metrics: dict[str, Estimate]
    is_asked: Bool[np.ndarray, " n"]
    first_right: Int64[np.ndarray, " n"]
    average_precision: Float[np.ndarray, " n"]
    nearest: Int64[np.ndarray, "n k"]
    similarities: Float[np.ndarray, "n k"]


def retrieval(
    vectors: Float[Tensor, "n D"], labels: Int64[Tensor, " n"], *, seed: int = 0
) -> RetrievalResult:
    """Ranks, for each picture, all others by cosine, and looks where its class stands.

    The plain version of one query::

        order = sorted((j for j in range(n) if j != i), key=lambda j: (-similarity[i][j], j))
        right = [labels[j] == labels[i] for j in order]
        precision = [sum(right[: r + 1]) / (r + 1) for r in range(n - 1)]
        average_precision = mean(p for p, is_right in zip(precision, right) if is_right)

    Time grows with n^2 log n, memory with n: 10,000 pictures take about ten seconds.

    Args:
        vectors: of unit length, at least two.
        labels: class ids.
        seed: decides the resamples of the interval of ``map``, and nothing else.
    """
    n = len(vectors)
    assert n >= 2
    vectors = vectors.float().cpu()
    labels = labels.cpu()
    rows = max(1, _CHUNK_CELLS // n)
    parts = [_rank(vectors, labels, torch.arange(i, min(i + rows, n))) for i in range(0, n, rows)]
    first, precision, ties, nearest, similarities = (
        torch.cat(column).numpy() for column in zip(*parts, strict=True)
    )
    is_asked = first >= 0
    return RetrievalResult(
        n=n,
        num_alone=int((~is_asked).sum()),
        num_ties=int(ties.sum()),
        metrics=_figures(first[is_asked], precision[is_asked], n=n, seed=seed),
        is_asked=is_asked,
        first_right=first,
        average_precision=precision,
        nearest=nearest,
        similarities=similarities,
    )


def micro_average_precision(
    scores: Float[np.ndarray, " m"], is_right: Bool[np.ndarray, " m"], *, num_right: int
) -> float:
    """Average precision over the answers to all queries in one list (muAP).

    Unlike ``map`` it asks that scores mean the same for every query, which is what a threshold
    needs: the measure of copy detection (arXiv 2106.09672).

    Args:
        scores: of every answer that was given, to any query; of equal ones the first counts first.
        is_right: whether the answer was a right one.
        num_right: how many right answers there are, given or not; at least 1.
    """
    assert num_right >= 1
    order = np.argsort(-scores, kind="stable")
    right = is_right[order]
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(precision[right].sum() / num_right)


def _rank(
    vectors: Float[Tensor, "n D"], labels: Int64[Tensor, " n"], queries: Int64[Tensor, " q"]
) -> tuple[Tensor, ...]:
    """Of some queries: rank of the first right one, average precision, tie, nearest, cosines."""
    count = len(queries)
    similarity = vectors[queries] @ vectors.T
    similarity[torch.arange(count), queries] = -torch.inf  # nobody finds himself
    values, order = similarity.sort(dim=1, descending=True, stable=True)
    values, order = values[:, :-1], order[:, :-1]  # the query itself came last
    is_right = labels[order] == labels[queries, None]
    num_right = is_right.sum(dim=1)
    ranks = torch.arange(1, order.shape[1] + 1)
    precision = is_right.cumsum(dim=1) / ranks
    average = (precision * is_right).sum(dim=1).double() / num_right  # 0 / 0 = NaN: nobody there
    first = torch.where(num_right > 0, is_right.float().argmax(dim=1), -1)
    # Between equal values, somewhere right and wrong stand side by side.
    is_equal = values[:, 1:] == values[:, :-1]
    is_tied = (is_equal & (is_right[:, 1:] != is_right[:, :-1])).any(dim=1)
    kept = order[:, :NUM_NEAREST], values[:, :NUM_NEAREST]
    return first, average, is_tied, kept[0].clone(), kept[1].clone()


def _figures(
    first: Int64[np.ndarray, " a"], precision: Float[np.ndarray, " a"], *, n: int, seed: int
) -> dict[str, Estimate]:
    """Shares with Wilson intervals, the mean with one from bootstrap resamples of the queries."""
    if not len(first):
        return {}
    metrics = {
        f"recall_at_{k}": wilson(int((first < k).sum()), len(first))
        for k in RECALL_AT
        if k == 1 or k < n
    }
    weights = resample_weights(
        len(first), num_resamples=NUM_RESAMPLES, generator=np.random.default_rng(seed)
    )
    resampled = np.concatenate([w @ precision / len(first) for w in weights])
    return metrics | {"map": percentile_estimate(float(precision.mean()), resampled)}
