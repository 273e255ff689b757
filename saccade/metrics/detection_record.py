"""What is kept of the detections of one class, and the figures that follow from it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

from saccade.metrics.detection_match import AREA_RANGES, MAX_DETECTIONS, THRESHOLDS, Match
from saccade.metrics.precision_recall import Curve, curve

RIGHT_OVERLAP = 0.5
"""Of a detection and an object, from which it lies on the object."""


class ClassRecord:
    """Collects the detections of one class."""

    def __init__(self) -> None:
        self.num_on_objects = 0  # detections that are shown, on an object of the class
        self.num_covered = 0  # objects with such a detection on them
        self._pictures: list[np.ndarray] = []
        self._ranks: list[np.ndarray] = []  # of the detections within their pictures
        self._scores: list[np.ndarray] = []
        self._is_right: list[np.ndarray] = []  # bits, one row for eight settings
        self._is_ignored: list[np.ndarray] = []
        self._object_pictures: list[int] = []
        self._objects: list[np.ndarray] = []  # how many, by area range

    def add(self, picture: int, match: Match, scores: Float64[np.ndarray, " d"]) -> None:
        """Adds one picture's detections.

        Args:
            picture: its number.
            match: what became of them.
            scores: from the highest down.
        """
        self._pictures.append(np.full(len(scores), picture, dtype=np.int32))
        self._ranks.append(np.arange(len(scores), dtype=np.int16))
        self._scores.append(scores)
        self._is_right.append(np.packbits(match.is_right, axis=0))
        self._is_ignored.append(np.packbits(match.is_ignored, axis=0))
        self._object_pictures.append(picture)
        self._objects.append(match.num_objects)

    def extend(self, other: "ClassRecord", *, after: int) -> None:
        """Adds the pictures of another, whose numbers begin behind so many that are here."""
        self.num_on_objects += other.num_on_objects
        self.num_covered += other.num_covered
        self._pictures += [pictures + np.int32(after) for pictures in other._pictures]
        self._ranks += other._ranks
        self._scores += other._scores
        self._is_right += other._is_right
        self._is_ignored += other._is_ignored
        self._object_pictures += [picture + after for picture in other._object_pictures]
        self._objects += other._objects

    def count_repeats(
        self, overlap: Float64[np.ndarray, "d g"], is_shown: Bool[np.ndarray, " d"]
    ) -> None:
        """Counts how often objects (no crowds) were found by detections that are shown."""
        is_on = overlap[is_shown] >= RIGHT_OVERLAP
        self.num_on_objects += int(is_on.any(axis=1).sum())
        self.num_covered += int(is_on.any(axis=0).sum())

    def sort(self) -> "SortedRecord":
        """All pictures together."""
        empty = np.zeros(0)
        scores = np.concatenate([empty, *self._scores])
        order = (-scores).argsort(kind="stable")
        numbers = np.array(self._objects).reshape(-1, len(AREA_RANGES))
        return SortedRecord(
            scores=scores[order],
            pictures=np.concatenate([empty, *self._pictures]).astype(np.int64)[order],
            ranks=np.concatenate([empty, *self._ranks]).astype(np.int64)[order],
            is_right=_unpack(self._is_right, order),
            is_ignored=_unpack(self._is_ignored, order),
            object_pictures=np.array(self._object_pictures, dtype=np.int64),
            objects=numbers,
        )


class SortedRecord:
    """The detections of one class over all pictures, from the highest score down.

    Args:
        scores: of the detections.
        pictures: the picture of each.
        ranks: the place of each among those of its class in its picture, from 0.
        is_right, is_ignored: see ``Match``, by area range and threshold.
        object_pictures: the pictures that were added.
        objects: how many objects of the class each of them has, by area range.
    """

    def __init__(
        self,
        *,
        scores: Float64[np.ndarray, " n"],
        pictures: Int64[np.ndarray, " n"],
        ranks: Int64[np.ndarray, " n"],
        is_right: Bool[np.ndarray, "A T n"],
        is_ignored: Bool[np.ndarray, "A T n"],
        object_pictures: Int64[np.ndarray, " m"],
        objects: Float64[np.ndarray, "m A"],
    ) -> None:
        self.num_objects = int(objects[:, 0].sum())
        self._scores = scores
        self._pictures = pictures
        self._ranks = ranks
        self._is_right = is_right
        self._is_ignored = is_ignored
        self._object_pictures = object_pictures
        self._objects = objects

    def averages(
        self,
        *,
        area: str = "all",
        weights: Float64[np.ndarray, " N"] | None = None,
    ) -> Float64[np.ndarray, " T"]:
        """Average precision at each threshold; NaN where there is no object.

        Args:
            area: which objects count.
            weights: how often each picture counts; None: once.
        """
        curves = self._curves(area, range(len(THRESHOLDS)), MAX_DETECTIONS, weights)
        return np.array([np.nan if each is None else each.average for each in curves])

    def recalls(
        self, *, area: str = "all", most: int = MAX_DETECTIONS
    ) -> Float64[np.ndarray, " T"]:
        """Recall at each threshold with so many detections a picture; NaN without objects."""
        curves = self._curves(area, range(len(THRESHOLDS)), most, None)
        return np.array([np.nan if each is None else each.recall for each in curves])

    def first_curve(self) -> Curve | None:
        """At the lowest threshold; None without objects."""
        return self._curves("all", [0], MAX_DETECTIONS, None)[0]

    def counted(self) -> tuple[Float64[np.ndarray, " c"], Bool[np.ndarray, " c"]]:
        """Scores of the detections that count at the lowest threshold, and which are right."""
        counts = ~self._is_ignored[0, 0]
        return self._scores[counts], self._is_right[0, 0][counts]

    def shown(self, smallest_score: float) -> tuple[int, int]:
        """Detections of at least this score that count, and how many of them are right."""
        scores, is_right = self.counted()
        is_shown = scores >= smallest_score
        return int(is_shown.sum()), int((is_shown & is_right).sum())

    def _curves(
        self,
        area: str,
        thresholds: Sequence[int],
        most: int,
        weights: Float64[np.ndarray, " N"] | None,
    ) -> list[Curve | None]:
        a = list(AREA_RANGES).index(area)
        objects = self._objects[:, a]
        if weights is not None:
            objects = objects * weights[self._object_pictures]
        num_objects = float(objects.sum())
        if not num_objects:
            return [None] * len(thresholds)
        each = np.ones(len(self._scores)) if weights is None else weights[self._pictures]
        is_seen = self._ranks < most
        curves: list[Curve | None] = []
        for t in thresholds:
            counts = is_seen & ~self._is_ignored[a, t]
            right = self._is_right[a, t][counts]
            curves.append(curve(right, each[counts], num_objects=num_objects))
        return curves


def _unpack(parts: list[np.ndarray], order: Int64[np.ndarray, " n"]) -> Bool[np.ndarray, "A T n"]:
    shape = (len(AREA_RANGES), len(THRESHOLDS), len(order))
    none = np.zeros(((shape[0] * shape[1] + 7) // 8, 0), dtype=np.uint8)
    packed = np.concatenate([none, *parts], axis=1)[:, order]
    return np.unpackbits(packed, axis=0, count=shape[0] * shape[1]).astype(bool).reshape(shape)
