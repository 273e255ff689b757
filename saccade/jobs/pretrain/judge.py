"""What the vectors of a pretrained model are worth, with and without classes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from saccade.data.loader import Loader
from saccade.errors import DataError
from saccade.metrics.intervals import (
    Estimate,
    percentile_estimate,
    resample_weights,
    wilson,
)
from saccade.metrics.representation import (
    NUM_NEIGHBOURS,
    effective_rank,
    mean_std,
    votes_of_the_others,
)
from saccade.serving.engine import Engine

NUM_RESAMPLES = 60
"""For the intervals of figures that have no formula."""

MOST_RESAMPLED = 1024
"""Pictures that those intervals are taken from; with more they would only be narrower."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PretrainJudgement:
    """The vectors of some pictures, and what they come to.

    Attributes:
        metrics: ``effective_rank``, ``rank_share``, ``mean_std``, with classes ``knn_top1``.
        ids: the pictures, by their place in the source.
        names: the same, by name.
        vectors: at unit length.
        labels: class ids; None where the pictures have none.
        voted: the class that the neighbours of each picture vote for, if there are classes.
    """

    metrics: dict[str, Estimate]
    ids: Int64[np.ndarray, " n"]
    names: list[str]
    vectors: Float32[np.ndarray, "n D"]
    labels: Int64[np.ndarray, " n"] | None
    voted: Int64[np.ndarray, " n"] | None

    @property
    def n(self) -> int:
        """How many pictures were judged."""
        return len(self.ids)

    @property
    def headline(self) -> str:
        """Neighbours of the same class where there are classes, else the rank."""
        return "rank_share" if self.labels is None else "knn_top1"

    def to_json(self) -> dict[str, Any]:
        """The figures, and how to read them."""
        width = self.vectors.shape[1]
        words = {
            "knn_top1": "of the pictures are of the class that their nearest neighbours vote for",
            "rank_share": f"of the {width} directions of a vector (its width) are in use",
        }
        return {
            "n": self.n,
            "metrics": {name: figure.to_json() for name, figure in self.metrics.items()},
            "headline": {"metric": self.headline, "words": words[self.headline]},
            "notes": [
                f"Effective rank: in how many of the {width} directions vectors differ. It is 1 "
                "when all are the same; a model that has collapsed is near it, whatever its loss "
                "says. Fresh weights have a rank too, so it is no proof that something was "
                "learned.",
                "Mean std: 1 when vectors lie evenly in all directions, 0 when all are the same.",
                *self._about_neighbours(),
            ],
            "tables": [],
        }

    def write_table(self, path: Path) -> None:
        """One row per picture, as Parquet."""
        columns: dict[str, Any] = {"path": self.names, "vector": list(self.vectors)}
        if self.labels is not None:
            columns |= {"label": self.labels, "voted": self.voted}
        pq.write_table(pa.table(columns), path)

    def neighbours(self, position: int, count: int) -> list[tuple[int, float]]:
        """The nearest other pictures of one, by position, with their cosines."""
        cosines = self.vectors @ self.vectors[position]
        cosines[position] = -np.inf
        nearest = np.argsort(-cosines, kind="stable")[:count]
        return [(int(other), float(cosines[other])) for other in nearest if other != position]

    def _about_neighbours(self) -> list[str]:
        if self.labels is None:
            return []
        num_classes = len(np.unique(self.labels))
        return [
            f"kNN top-1: each picture is judged by its {NUM_NEIGHBOURS} nearest among the others "
            f"of this part; chance is about {1 / num_classes:.3f}. Classes are used for this "
            "figure, and nothing is learned from them."
        ]


def judge(engine: Engine, loader: Loader) -> PretrainJudgement:
    """Takes the vectors of all pictures, and lets each look at the others.

    Raises:
        DataError: there are not two pictures.
    """
    ids, labels, found = [], [], []
    for batch in loader.batches():
        found.append(engine.answer(batch).cpu())
        ids.append(batch.ids.numpy())
        if isinstance(batch.targets, Tensor):
            labels.append(batch.targets)
    if sum(map(len, ids)) < 2:
        raise DataError("vectors are judged by comparing pictures; at least two must be readable")
    every, vectors = np.concatenate(ids), torch.cat(found)
    classes = torch.cat(labels) if labels else None
    metrics = figures(vectors)
    voted = None
    if classes is not None:
        votes = votes_of_the_others(vectors, classes, num_classes=int(classes.max()) + 1)
        voted = votes.argmax(dim=1)
        metrics = {"knn_top1": wilson(int((voted == classes).sum()), len(classes)), **metrics}
    return PretrainJudgement(
        metrics=metrics,
        ids=every,
        names=[loader.samples.pictures.name(i) for i in every.tolist()],
        vectors=vectors.numpy(),
        labels=None if classes is None else classes.numpy(),
        voted=None if voted is None else voted.numpy(),
    )


def figures(vectors: Float[Tensor, "n D"]) -> dict[str, Estimate]:
    """How many directions vectors differ in, and how far they spread, with bootstrap intervals.

    A resample of pictures has fewer different ones, and with them a lower rank, so the interval of
    the rank reaches further down than up.
    """
    rank = _bootstrapped(vectors, effective_rank)
    width = vectors.shape[1]
    return {
        "effective_rank": rank,
        "rank_share": Estimate(rank.value / width, rank.low / width, rank.high / width),
        "mean_std": _bootstrapped(vectors, mean_std),
    }


def _bootstrapped(vectors: Float[Tensor, "n D"], figure: Callable[..., float]) -> Estimate:
    some = vectors[torch.linspace(0, len(vectors) - 1, min(len(vectors), MOST_RESAMPLED)).long()]
    generator = np.random.default_rng(0)
    resampled = [
        figure(some, counts=torch.from_numpy(counts))
        for rows in resample_weights(len(some), num_resamples=NUM_RESAMPLES, generator=generator)
        for counts in rows
    ]
    return percentile_estimate(figure(vectors), np.array(resampled))
