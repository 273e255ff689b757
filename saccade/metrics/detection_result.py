"""The outcome of judging a detector, as frozen data that goes to JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from saccade.metrics.intervals import Estimate


@dataclass(frozen=True, kw_only=True)
class ClassPrecision:
    """One class of an evaluation; None where the class has no object (or nothing was found).

    Attributes:
        name: the class.
        num_objects: of it.
        ap, ap50, ap75: average precision over all thresholds, and at overlaps of 50 and 75 %.
        precision, recall: of the detections that are shown, at an overlap of 50 %.
        detections_per_object: those of them that lie on an object, over the objects that have one.
    """

    name: str
    num_objects: int
    ap: float | None
    ap50: float | None
    ap75: float | None
    precision: float | None
    recall: float | None
    detections_per_object: float | None


@dataclass(frozen=True, kw_only=True)
class PrecisionRow:
    """Precision at an overlap of 50 %, mean over the classes.

    Attributes:
        recall: that is reached.
        precision: the best one at this recall or a higher one.
    """

    recall: float
    precision: float


@dataclass(frozen=True, kw_only=True)
class DetectionResult:
    """How a detector did on ``n`` pictures.

    Attributes:
        n: number of pictures.
        metrics: figures by name, as fractions; see ``AveragePrecision``.
        per_class: one row per class, in the model's order.
        precision_recall: at 11 recalls.
    """

    n: int
    metrics: dict[str, Estimate]
    per_class: tuple[ClassPrecision, ...]
    precision_recall: tuple[PrecisionRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers; what is undefined is None, never NaN."""
        return {
            "n": self.n,
            "metrics": {name: estimate.to_json() for name, estimate in self.metrics.items()},
            "per_class": [asdict(row) for row in self.per_class],
            "precision_recall": [asdict(row) for row in self.precision_recall],
        }
