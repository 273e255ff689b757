"""A detector's answers to pictures whose objects are known, and what they amount to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool

from saccade.data.annotations import Boxes
from saccade.data.loader import Loader
from saccade.metrics.average_precision import AveragePrecision, Found, Truth
from saccade.metrics.detection_record import RIGHT_OVERLAP
from saccade.metrics.detection_result import ClassPrecision, DetectionResult
from saccade.metrics.intervals import Estimate
from saccade.metrics.overlap import overlaps
from saccade.serving.detect import Detector, FoundObjects


@dataclass(frozen=True, kw_only=True)
class JudgedPicture:
    """One picture: what was there, and what was found and shown.

    Attributes:
        id: its place in the source.
        path: its name.
        num_objects: that are there; crowds left out.
        num_found: objects that were found.
        num_false: detections that are none of the objects, or the second of one; in a crowd none.
        surest_false: the highest score among those; 0 without any.
    """

    id: int
    path: str
    num_objects: int
    num_found: int
    num_false: int
    surest_false: float

    @property
    def num_missed(self) -> int:
        """Objects that were not found."""
        return self.num_objects - self.num_found


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectJudgement:
    """What a model found in pictures whose objects are known.

    Attributes:
        result: the figures.
        smallest_score: from which a detection was shown.
        pictures: one by one, in the source's order.
    """

    result: DetectionResult
    smallest_score: float
    pictures: tuple[JudgedPicture, ...]

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
        """Average precision at an overlap of one half."""
        return "ap50"

    def to_json(self) -> dict[str, Any]:
        """The figures, and tables for the report."""
        result = self.result.to_json()
        return {
            "n": result["n"],
            "metrics": result["metrics"],
            "headline": {"metric": "ap50", "words": "average precision at 50 % overlap"},
            "tables": [
                _class_table(self.result, self.smallest_score),
                _precision_table(self.result),
            ],
        }

    def write_table(self, path: Path) -> None:
        """One row per picture, as Parquet."""
        columns = ("path", "num_objects", "num_found", "num_missed", "num_false")
        rows = [[getattr(each, name) for name in columns] for each in self.pictures]
        pq.write_table(
            pa.table({name: [row[k] for row in rows] for k, name in enumerate(columns)}), path
        )


def judge(detector: Detector, loader: Loader) -> DetectJudgement:
    """Asks a model about pictures with boxes, in the pictures' own pixels."""
    smallest = detector.engine.smallest_score
    metrics = AveragePrecision(detector.class_names, smallest_score=smallest)
    annotations = loader.samples.annotations
    assert annotations is not None
    pictures = []
    for batch in loader.batches():
        for i, found in zip(batch.ids.tolist(), detector.objects(batch), strict=True):
            known = annotations.load(i)
            assert isinstance(known, Boxes)
            metrics.update(
                Found(
                    regions=found.boxes_xyxy,
                    labels=found.labels,
                    scores=found.scores.astype(np.float64),
                ),
                Truth(
                    regions=known.boxes_xyxy.astype(np.float64),
                    labels=known.labels,
                    is_crowd=known.is_crowd,
                    areas=known.areas,
                ),
            )
            name = loader.samples.pictures.name(i)
            pictures.append(_judge_picture(i, name, shown(found, smallest), known))
    return DetectJudgement(
        result=metrics.result(), smallest_score=smallest, pictures=tuple(pictures)
    )


def pair(found: FoundObjects, known: Boxes) -> list[int | None]:
    """For each detection the object that it found, or None; the surest detection chooses first."""
    objects = np.flatnonzero(~known.is_crowd)
    overlap = overlaps(
        found.boxes_xyxy, known.boxes_xyxy[objects].astype(np.float64), np.zeros(len(objects), bool)
    )
    overlap[found.labels[:, None] != known.labels[objects][None]] = 0.0
    pairs: list[int | None] = []
    for row in overlap:
        best = int(row.argmax()) if len(row) else 0
        if len(row) and row[best] >= RIGHT_OVERLAP:
            overlap[:, best] = 0.0
            pairs.append(int(objects[best]))
        else:
            pairs.append(None)
    return pairs


def is_in_crowd(found: FoundObjects, known: Boxes) -> Bool[np.ndarray, " d"]:
    """Which detections lie in a crowd of their class, where nothing is right and nothing wrong."""
    crowds = np.flatnonzero(known.is_crowd)
    overlap = overlaps(
        found.boxes_xyxy, known.boxes_xyxy[crowds].astype(np.float64), np.ones(len(crowds), bool)
    )
    is_same = found.labels[:, None] == known.labels[crowds][None]
    return (is_same & (overlap >= RIGHT_OVERLAP)).any(axis=1)


def shown(found: FoundObjects, smallest_score: float) -> FoundObjects:
    """What scores at least as much as that."""
    sure = found.scores >= smallest_score
    return FoundObjects(
        height=found.height,
        width=found.width,
        boxes_xyxy=found.boxes_xyxy[sure],
        labels=found.labels[sure],
        scores=found.scores[sure],
    )


def _judge_picture(i: int, path: str, found: FoundObjects, known: Boxes) -> JudgedPicture:
    pairs = pair(found, known)
    is_paired = np.array([of is not None for of in pairs], dtype=bool)
    false = found.scores[~is_paired & ~is_in_crowd(found, known)].tolist()
    return JudgedPicture(
        id=i,
        path=path,
        num_objects=int((~known.is_crowd).sum()),
        num_found=int(is_paired.sum()),
        num_false=len(false),
        surest_false=max(false, default=0.0),
    )


def _class_table(result: DetectionResult, smallest_score: float) -> dict[str, Any]:
    def row(of: ClassPrecision) -> list[Any]:
        return [
            of.name,
            of.num_objects,
            of.ap,
            of.ap50,
            of.ap75,
            of.precision,
            of.recall,
            of.detections_per_object,
        ]

    return {
        "title": "By class",
        "text": "AP is the average precision over overlaps from 50 to 95 %. Precision, recall and "
        f"detections per object are those of detections with a score of {smallest_score:.3f} and "
        "more (where the F1 of the validation pictures is best), at an overlap of 50 %; above 1 "
        "detection per object, things are found twice.",
        "columns": [
            "class",
            "objects",
            "AP",
            "AP50",
            "AP75",
            "precision",
            "recall",
            "detections per object",
        ],
        "rows": [row(of) for of in result.per_class],
    }


def _precision_table(result: DetectionResult) -> dict[str, Any]:
    return {
        "title": "Precision and recall",
        "text": "How many detections are right (at an overlap of 50 %, mean over the classes) when "
        "as many of all objects are to be found. AP50 is the mean of this curve.",
        "is_curve": True,
        "columns": ["recall", "precision"],
        "rows": [[row.recall, row.precision] for row in result.precision_recall],
    }
