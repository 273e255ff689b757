"""The outcome of an evaluation, as frozen data that goes to JSON."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from saccade.metrics.calibration import Bin
from saccade.metrics.intervals import Estimate
from saccade.metrics.selective import RiskAt


@dataclass(frozen=True)
class ClassRow:
    """One class of an evaluation.

    Attributes:
        name: the class.
        n: how many pictures truly belong to it.
        precision: share of the pictures predicted as this class that are; None if there are none.
        recall: share of this class's pictures that were predicted as it; None if there are none.
        f1: harmonic mean of the two; None if the class was neither there nor predicted.
    """

    name: str
    n: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, eq=False)
class ClassResult:
    """How a classifier did on ``n`` pictures.

    Attributes:
        n: number of pictures.
        metrics: figures by name, as fractions: ``top1``, ``top5`` (only with more than 5 classes),
            ``macro_f1``, ``balanced_accuracy``, ``log_loss`` (nats; probabilities below 1e-12 count
            as 1e-12), ``brier`` (squared distance of all K probabilities from the truth, in
            [0, 2]), ``ece`` and ``ece_equal_mass`` (calibration error of the class predicted, in
            15 bins of equal width and of equally many pictures), and ``aurc`` (area under the
            share of mistakes over the share answered, surest first).
        per_class: one row per class, in the model's order.
        confusion: how often row (true class) was predicted as column.
        reliability: confidence against accuracy, in bins of equal width.
        risks: the mistakes that remain when the least sure answers are refused.
        risk_curve: the same as a curve: share answered, share of these wrong.
    """

    n: int
    metrics: dict[str, Estimate]
    per_class: tuple[ClassRow, ...]
    confusion: Int64[np.ndarray, "K K"]
    reliability: tuple[Bin, ...]
    risks: tuple[RiskAt, ...]
    risk_curve: list[tuple[float, float]]

    def values(self) -> dict[str, float]:
        """The figures as plain numbers, for a line of the log."""
        return {name: estimate.value for name, estimate in self.metrics.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers; what is undefined is None, never NaN."""
        return {
            "n": self.n,
            "metrics": {name: estimate.to_json() for name, estimate in self.metrics.items()},
            "per_class": [asdict(row) for row in self.per_class],
            "confusion": self.confusion.tolist(),
            "reliability": [b.to_json() for b in self.reliability],
            "risks": [risk.to_json() for risk in self.risks],
            "risk_curve": [list(point) for point in self.risk_curve],
        }
