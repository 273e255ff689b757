"""A model's masks against true ones, in the pictures' own pixels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int64, UInt8

from saccade.data.annotations import IGNORED_CLASS, ClassMap, Segments
from saccade.data.loader import Loader
from saccade.metrics.average_precision import AveragePrecision, Found
from saccade.metrics.intervals import Estimate
from saccade.metrics.panoptic import PanopticMetrics, PanopticRow
from saccade.metrics.segment import MapMetrics, MapRow
from saccade.serving.engine import Engine
from saccade.serving.segment import Segmenter, mask_probs
from saccade.tasks.segment.classes import Segment
from saccade.tasks.segment.masks import true_regions

MOST_MASKS = 100
"""Of one picture that average precision looks at, the surest."""

NUM_CONFUSIONS = 10
"""Pairs of classes that are mixed up most, in a table."""

_METRIC_WORDS = {
    "miou": "mean over classes of the pixels found, over those that are or were said to be",
    "ap50": "average precision of masks that overlap by half",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class MapJudgement:
    """Classes of pixels, picture by picture, and what that amounts to.

    Attributes:
        metrics: ``miou``, ``dice``, ``pixel_accuracy``.
        per_class: a row per class.
        confusion: pixels of each class (row) by what was said (column).
        class_names: what a pixel can be.
        ids, names: the pictures, by their place in the source and by name.
        accuracy: of each picture: the share of its known pixels that was right.
        dice: of each picture: the mean over its classes, the background left out.
    """

    metrics: dict[str, Estimate]
    per_class: tuple[MapRow, ...]
    confusion: Int64[np.ndarray, "K K"]
    class_names: tuple[str, ...]
    ids: Int64[np.ndarray, " n"]
    names: list[str]
    accuracy: list[float]
    dice: list[float]

    @property
    def n(self) -> int:
        """How many pictures were judged."""
        return len(self.names)

    @property
    def headline(self) -> str:
        """Mean overlap of the classes."""
        return "miou"

    def worst(self, count: int) -> list[int]:
        """Positions of the pictures with the lowest dice, the lowest first."""
        return np.argsort(self.dice, kind="stable")[:count].tolist()

    def to_json(self) -> dict[str, Any]:
        """The figures, a table of the classes, and which are mixed up."""
        return {
            **_figures(self.n, self.metrics, self.headline),
            "tables": [
                {
                    "title": "Classes",
                    "text": "Overlap (IoU), precision and recall count the pixels of all pictures "
                    "together; Dice is the mean over the pictures with the class.",
                    "columns": ["class", "pixels", "IoU", "Dice", "precision", "recall"],
                    "rows": [
                        [row.name, row.pixels, row.iou, row.dice, row.precision, row.recall]
                        for row in self.per_class
                    ],
                },
                {
                    "title": "Mixed up",
                    "text": "Pixels of one class that were said to be of another, the most "
                    "frequent first, and their share of the pixels of the true class.",
                    "columns": ["true", "said", "pixels", "share"],
                    "rows": self._confusions(),
                },
            ],
        }

    def write_table(self, path: Path) -> None:
        """One row per picture, as Parquet."""
        table = {"path": self.names, "pixel_accuracy": self.accuracy, "dice": self.dice}
        pq.write_table(pa.table(table), path)

    def _confusions(self) -> list[list[Any]]:
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:NUM_CONFUSIONS]
        pairs = [(int(k) // len(wrong), int(k) % len(wrong)) for k in order]
        return [
            [
                self.class_names[true],
                self.class_names[said],
                int(wrong[true, said]),
                float(wrong[true, said] / self.confusion[true].sum()),
            ]
            for true, said in pairs
            if wrong[true, said]
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskJudgement:
    """Objects, picture by picture, and what that amounts to.

    Attributes:
        metrics: average precision of masks, and panoptic quality.
        per_class: a row per class.
        ids, names: the pictures, by their place in the source and by name.
        num_true, num_found, num_right: objects of each picture: true, said, and matched.
    """

    metrics: dict[str, Estimate]
    per_class: tuple[PanopticRow, ...]
    ids: Int64[np.ndarray, " n"]
    names: list[str]
    num_true: list[int]
    num_found: list[int]
    num_right: list[int]

    @property
    def n(self) -> int:
        """How many pictures were judged."""
        return len(self.names)

    @property
    def headline(self) -> str:
        """Average precision at half overlap."""
        return "ap50"

    def worst(self, count: int) -> list[int]:
        """Positions of the pictures with the most missed and wrongly found objects."""
        wrong = [
            true + found - 2 * right
            for true, found, right in zip(
                self.num_true, self.num_found, self.num_right, strict=True
            )
        ]
        return np.argsort(-np.array(wrong), kind="stable")[:count].tolist()

    def to_json(self) -> dict[str, Any]:
        """The figures and a table of the classes."""
        return {
            **_figures(self.n, self.metrics, self.headline),
            "tables": [
                {
                    "title": "Classes",
                    "text": "An object is found when more than half of it and its mask together is "
                    "shared. PQ is the product of SQ (how well the masks fit) and RQ (how many are "
                    "found, and how few are not there).",
                    "columns": ["class", "objects", "PQ", "SQ", "RQ", "precision", "recall"],
                    "rows": [
                        [
                            row.name,
                            row.segments,
                            row.pq,
                            row.sq,
                            row.rq,
                            row.precision,
                            row.recall,
                        ]
                        for row in self.per_class
                    ],
                }
            ],
        }

    def write_table(self, path: Path) -> None:
        """One row per picture, as Parquet."""
        table = {
            "path": self.names,
            "objects": self.num_true,
            "found": self.num_found,
            "right": self.num_right,
        }
        pq.write_table(pa.table(table), path)


SegmentJudgement = MapJudgement | MaskJudgement


def judge(engine: Engine, loader: Loader) -> SegmentJudgement:
    """Asks a model about pictures whose masks are known, in the pixels of the pictures."""
    if isinstance(engine.task, Segment):
        return _judge_maps(engine, loader)
    return _judge_masks(engine, loader)


def true_classes(annotation: ClassMap | Segments, task: Segment) -> UInt8[np.ndarray, "H W"]:
    """The class of each pixel, in the order of ``task.pixel_names``."""
    if isinstance(annotation, ClassMap):
        return annotation.classes
    has_background = len(task.pixel_names) - len(task.class_names)
    none = 0 if has_background else IGNORED_CLASS
    table = np.concatenate([[IGNORED_CLASS, none], annotation.labels + has_background])
    return table.astype(np.uint8)[annotation.segments + 1]


def _judge_maps(engine: Engine, loader: Loader) -> MapJudgement:
    segmenter, task = Segmenter(engine), engine.task
    assert isinstance(task, Segment)
    metrics = MapMetrics(task.pixel_names)
    ids: list[int] = []
    for batch in loader.batches():
        answer = engine.answer(batch)
        for k, i in enumerate(batch.ids.tolist()):
            found = segmenter.read(answer, k, segmenter.placement(batch, k), name="")
            truth = true_classes(_annotation(loader, i), task)
            assert found.map is not None
            metrics.update(found.map.astype(np.uint8), truth)
            ids.append(i)
    return MapJudgement(
        metrics=metrics.metrics(),
        per_class=metrics.per_class(),
        confusion=metrics.confusion,
        class_names=task.pixel_names,
        ids=np.array(ids),
        names=[loader.samples.pictures.name(i) for i in ids],
        accuracy=metrics.accuracy_of_pictures().tolist(),
        dice=metrics.mean_dice_of_pictures().tolist(),
    )


def _judge_masks(engine: Engine, loader: Loader) -> MaskJudgement:
    segmenter = Segmenter(engine)
    precision = AveragePrecision(engine.class_names)
    panoptic = PanopticMetrics(engine.class_names)
    ids: list[int] = []
    for batch in loader.batches():
        answer = engine.answer(batch)
        for k, i in enumerate(batch.ids.tolist()):
            placement = segmenter.placement(batch, k)
            found = segmenter.read(answer, k, placement, name="")
            truth = _annotation(loader, i)
            assert isinstance(truth, Segments)
            assert found.map is not None
            labels = [engine.class_names.index(region.label) for region in found.regions]
            panoptic.update(
                found.map.clip(min=0), np.array(labels, np.int64), truth.segments, truth.labels
            )
            probs = mask_probs(answer, k, placement, count=MOST_MASKS)
            precision.update(
                Found(
                    regions=(probs >= 0.5).cpu().numpy(),
                    labels=answer.labels[k, : len(probs)].cpu().numpy(),
                    scores=answer.scores[k, : len(probs)].double().cpu().numpy(),
                ),
                true_regions(truth.segments, truth.labels),
            )
            ids.append(i)
    num_right, num_missed, num_false = panoptic.counts_of_pictures().T
    return MaskJudgement(
        metrics=precision.result().metrics | panoptic.metrics(),
        per_class=panoptic.per_class(),
        ids=np.array(ids),
        names=[loader.samples.pictures.name(i) for i in ids],
        num_true=(num_right + num_missed).tolist(),
        num_found=(num_right + num_false).tolist(),
        num_right=num_right.tolist(),
    )


def _annotation(loader: Loader, i: int) -> ClassMap | Segments:
    assert loader.samples.annotations is not None
    annotation = loader.samples.annotations.load(i)
    assert isinstance(annotation, ClassMap | Segments)
    return annotation


def _figures(n: int, metrics: dict[str, Estimate], headline: str) -> dict[str, Any]:
    return {
        "n": n,
        "metrics": {name: each.to_json() for name, each in metrics.items()},
        "headline": {"metric": headline, "words": _METRIC_WORDS[headline]},
    }
