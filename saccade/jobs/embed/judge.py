"""How well an embedder's vectors find pictures of the same class."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Int64

from saccade.data.loader import Loader
from saccade.errors import DataError
from saccade.metrics.intervals import Estimate
from saccade.metrics.retrieval import RetrievalResult, retrieval
from saccade.serving.engine import Engine


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbedJudgement:
    """What each picture found among all others.

    Attributes:
        result: the figures, and the neighbours of each picture.
        ids: the pictures, by their place in the source.
        names: the same, by name.
        labels: class ids.
        class_names: the K names.
    """

    result: RetrievalResult
    ids: Int64[np.ndarray, " n"]
    names: list[str]
    labels: Int64[np.ndarray, " n"]
    class_names: tuple[str, ...]

    @property
    def n(self) -> int:
        """How many pictures were judged."""
        return self.result.n

    @property
    def metrics(self) -> dict[str, Estimate]:
        """Recall and mean average precision."""
        return self.result.metrics

    @property
    def headline(self) -> str:
        """How often the nearest picture is of the same class."""
        return "recall_at_1"

    def to_json(self) -> dict[str, Any]:
        """The figures, what they leave out, and a row for each class."""
        return {
            "n": self.n,
            "metrics": {name: figure.to_json() for name, figure in self.metrics.items()},
            "headline": {
                "metric": self.headline,
                "words": "of the pictures have one of their own class as their nearest",
            },
            "num_alone": self.result.num_alone,
            "num_ties": self.result.num_ties,
            "notes": self._notes(),
            "tables": [
                {
                    "title": "Classes",
                    "text": "Each picture searches among all others of this part. Recall at 1: how "
                    "often the nearest is of its class; mAP: how far up all of them stand.",
                    "columns": ["class", "pictures", "recall at 1", "mAP", "most confused with"],
                    "rows": self._rows(),
                }
            ],
        }

    def write_table(self, path: Path) -> None:
        """One row per picture, as Parquet."""
        result = self.result
        nearest = result.nearest[:, 0]
        names = np.array(self.class_names)
        table = pa.table(
            {
                "path": self.names,
                "label": names[self.labels],
                "nearest": [self.names[row] for row in nearest.tolist()],
                "nearest_label": names[self.labels[nearest]],
                "similarity": result.similarities[:, 0],
                "first_right": result.first_right,
                "average_precision": result.average_precision,
            }
        )
        pq.write_table(table, path)

    def worst(self, count: int) -> list[int]:
        """Positions of the queries whose nearest is wrong, the surest mistake first."""
        wrong = np.flatnonzero(self.result.first_right > 0)
        return wrong[np.argsort(-self.result.similarities[wrong, 0], kind="stable")][
            :count
        ].tolist()

    def _notes(self) -> list[str]:
        notes = []
        if self.result.num_alone:
            notes.append(
                f"{self.result.num_alone:,} of {self.n:,} pictures are alone in their class, so "
                "there is nothing for them to find; no figure counts them as queries."
            )
        if self.result.num_ties:
            notes.append(
                f"For {self.result.num_ties:,} pictures a right and a wrong answer were equally "
                "near; the one that comes first in the data counts as nearer."
            )
        return notes

    def _rows(self) -> list[list[Any]]:
        result, rows = self.result, []
        nearest = self.labels[result.nearest[:, 0]]
        for label, name in enumerate(self.class_names):
            members = np.flatnonzero((self.labels == label) & result.is_asked)
            if not len(members):
                continue
            wrong = nearest[members][result.first_right[members] > 0]
            others = np.bincount(wrong, minlength=len(self.class_names))
            rows.append(
                [
                    name,
                    len(members),
                    float((result.first_right[members] == 0).mean()),
                    float(result.average_precision[members].mean()),
                    self.class_names[int(others.argmax())] if others.any() else None,
                ]
            )
        return rows


def judge(engine: Engine, loader: Loader) -> EmbedJudgement:
    """Embeds labelled pictures, and lets each search among all others.

    Raises:
        DataError: there are not two pictures of one class.
    """
    ids, labels, vectors = [], [], []
    for batch in loader.batches():
        vectors.append(engine.answer(batch).cpu())
        labels.append(batch.labels)
        ids.append(batch.ids.numpy())
    if sum(map(len, ids)) < 2:
        raise DataError("a search needs at least two readable pictures to be judged")
    every = np.concatenate(ids)
    result = retrieval(torch.cat(vectors), torch.cat(labels))
    if not result.metrics:
        raise DataError(
            f"no two of these {len(every):,} pictures are of one class, so there is nothing to "
            "find; give more pictures of each class"
        )
    return EmbedJudgement(
        result=result,
        ids=every,
        names=[loader.samples.pictures.name(i) for i in every.tolist()],
        labels=torch.cat(labels).numpy(),
        class_names=engine.class_names,
    )
