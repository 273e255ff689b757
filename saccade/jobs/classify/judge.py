"""A model's answers to labelled pictures, kept one by one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Int64

from saccade.data.loader import Loader
from saccade.metrics.class_answers import ClassAnswers
from saccade.metrics.classify import ClassMetrics
from saccade.metrics.intervals import Estimate, wilson
from saccade.metrics.result import ClassResult
from saccade.serving.evidence import ClassEngine, evidence, familiarity
from saccade.serving.known import Score
from saccade.serving.model import Model

MAY_REFUSE = 0.05
"""The share of known pictures that limits are tried with in a report."""


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
        answers: what the figures are made from.
        temperature: by which the logits were divided.
        untempered: the figures without that; None where the temperature is 1.
        scores: how familiar each picture is; see ``Score``.
        refused: what a limit on each score would refuse here.
    """

    result: ClassResult
    ids: Int64[np.ndarray, " n"]
    names: list[str]
    labels: Int64[np.ndarray, " n"]
    predicted: Int64[np.ndarray, " n"]
    probability: Float32[np.ndarray, " n"]
    class_names: tuple[str, ...]
    answers: ClassAnswers
    temperature: float
    untempered: ClassResult | None
    scores: dict[Score, Float32[np.ndarray, " n"]]
    refused: list[dict[str, Any]]

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
        """The figures, the classes, the confusion, and how far probabilities can be trusted."""
        before = self.untempered.to_json() if self.untempered is not None else {}
        return {
            **self.result.to_json(),
            "temperature": self.temperature,
            "untempered": {name: before[name] for name in ("metrics", "reliability") if before},
            "refused": self.refused,
        }

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
                **{name: of for name, of in self.scores.items() if name != "probability"},
            }
        )
        pq.write_table(table, path)


def judge(model: Model, loader: Loader) -> ClassJudgement:
    """Asks a model about labelled pictures whose class ids are the model's own."""
    engine = model.engine
    metrics, untempered = ClassMetrics(model.class_names), ClassMetrics(model.class_names)
    ids, labels, predicted, probability = [], [], [], []
    scores: dict[Score, list[np.ndarray]] = {}
    for batch in loader.batches():
        found = evidence(engine, batch)
        probs = (found.logits / engine.temperature).softmax(dim=1)
        metrics.update(probs, batch.labels)
        if engine.temperature != 1:
            untempered.update(found.logits.softmax(dim=1), batch.labels)
        ids.append(batch.ids.numpy())
        labels.append(batch.labels.numpy())
        predicted.append(probs.argmax(dim=1).numpy())
        probability.append(probs.amax(dim=1).numpy())
        for name, of in familiarity(engine, found).items():
            scores.setdefault(name, []).append(of.numpy())
    every, result = np.concatenate(ids), metrics.result()
    answers = metrics.answers()
    joined = {name: np.concatenate(parts) for name, parts in scores.items()}
    return ClassJudgement(
        result=result,
        ids=every,
        names=[loader.samples.pictures.name(i) for i in every.tolist()],
        labels=np.concatenate(labels),
        predicted=np.concatenate(predicted),
        probability=np.concatenate(probability),
        class_names=model.class_names,
        answers=answers,
        temperature=engine.temperature,
        untempered=untempered.result() if engine.temperature != 1 else None,
        scores=joined,
        refused=_refused(engine, joined, answers),
    )


def _refused(
    engine: ClassEngine, scores: dict[Score, Float32[np.ndarray, " n"]], answers: ClassAnswers
) -> list[dict[str, Any]]:
    """Whether limits from held-out pictures refuse here what they may, and what they leave."""
    if engine.known is None or len(engine.known.held_out["knn"]) < 1 / MAY_REFUSE:
        return []
    rows = []
    for name, of in scores.items():
        out = of < engine.known.refusal(MAY_REFUSE, by=name).limit
        rest = answers.correct[~out]
        rows.append(
            {
                "by": name,
                "may": MAY_REFUSE,
                "refused": wilson(int(out.sum()), len(out)).to_json(),
                "top1": wilson(int(rest.sum()), len(rest)).to_json() if len(rest) else None,
            }
        )
    return rows
