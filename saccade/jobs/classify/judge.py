"""A model's answers to labelled pictures, kept one by one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float32, Int64

from saccade.data.loader import Loader
from saccade.metrics.classify import ClassMetrics
from saccade.metrics.intervals import Estimate
from saccade.metrics.result import ClassResult
from saccade.serving.model import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassJudgement:
    """What a model said, picture by picture, and what that amounts to.

    Attributes:
        result: the figures.
        ids: the pictures, by their place in the source.
        names: the same, by name.
        labels, predicted: class ids.
        probability: of the class predicted.
        class_names: the K names.
    """

    result: ClassResult
    ids: Int64[np.ndarray, " n"]
    names: list[str]
    labels: Int64[np.ndarray, " n"]
    predicted: Int64[np.ndarray, " n"]
    probability: Float32[np.ndarray, " n"]
    class_names: tuple[str, ...]

    @property
    def n(self) -> int:
        """How many pictures were judged."""
        return self.result.n

    @property
    def metrics(self) -> dict[str, Estimate]:
        """The figures, with their intervals."""
        return self.result.metrics

    @property
    def headline(self) -> str:
        """Top-1 accuracy."""
        return "top1"

    def to_json(self) -> dict[str, Any]:
        """The figures, the classes, the confusion and the reliability bins."""
        return self.result.to_json()

    def worst(self, count: int) -> list[int]:
        """Positions of the mistakes the model was surest of, surest first."""
        wrong = np.flatnonzero(self.labels != self.predicted)
        return wrong[np.argsort(-self.probability[wrong], kind="stable")][:count].tolist()

    def write_table(self, path: Path) -> None:
        """One row per picture, as Parquet."""
        names = np.array(self.class_names)
        table = pa.table(
            {
                "path": self.names,
                "label": names[self.labels],
                "predicted": names[self.predicted],
                "probability": self.probability,
            }
        )
        pq.write_table(table, path)


def judge(model: Model, loader: Loader) -> ClassJudgement:
    """Asks a model about labelled pictures whose class ids are the model's own."""
    metrics = ClassMetrics(model.class_names)
    ids, labels, predicted, probability = [], [], [], []
    for batch in loader.batches():
        probs = model.probs(batch)
        metrics.update(torch.from_numpy(probs), batch.labels)
        ids.append(batch.ids.numpy())
        labels.append(batch.labels.numpy())
        predicted.append(probs.argmax(axis=1))
        probability.append(probs.max(axis=1))
    every = np.concatenate(ids)
    return ClassJudgement(
        result=metrics.result(),
        ids=every,
        names=[loader.samples.pictures.name(i) for i in every.tolist()],
        labels=np.concatenate(labels),
        predicted=np.concatenate(predicted),
        probability=np.concatenate(probability),
        class_names=model.class_names,
    )
