"""Average precision of detections, by boxes or by masks, as the COCO tools define it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from saccade.errors import DataError
from saccade.metrics.detection_match import MAX_DETECTIONS, match_detections
from saccade.metrics.detection_record import ClassRecord, SortedRecord
from saccade.metrics.detection_result import ClassPrecision, DetectionResult, PrecisionRow
from saccade.metrics.intervals import Estimate, percentile_estimate, resample_weights
from saccade.metrics.overlap import Regions, areas, overlaps
from saccade.metrics.precision_recall import RECALLS

NUM_RESAMPLES = 200

SHOWN = 0.5
"""The score from which a detection is shown, where nobody has chosen another one."""

_AP50, _AP75 = 0, 5  # among the thresholds
_ROW_EVERY = 10  # recalls of the table


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """What a model found in a picture, in any order.

    Attributes:
        regions: boxes or masks in the picture's pixels.
        labels: class ids.
        scores: how sure it is; only their order counts, except for what is counted of those
            that are shown.
    """

    regions: Regions
    labels: Int64[np.ndarray, " d"]
    scores: Float64[np.ndarray, " d"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """What is in a picture.

    Attributes:
        regions: of the same kind as the found ones.
        labels: class ids.
        is_crowd: regions with many objects, which count neither when found nor when missed.
        areas: square pixels by which small is told from large; where they are NaN, and where there
            are none at all, those of the regions. (COCO takes the area of the mask for boxes too.)
    """

    regions: Regions
    labels: Int64[np.ndarray, " g"]
    is_crowd: Bool[np.ndarray, " g"]
    areas: Float64[np.ndarray, " g"] | None = None


class AveragePrecision:
    """Collects detections picture by picture and turns them into figures.

    A picture leaves some 25 bytes for each detection and nothing of its regions. The figures:

    - ``ap``, ``ap50``, ``ap75``: average precision over overlaps of 50 to 95 %, at 50 and at 75 %;
      ``ap_small``, ``ap_medium``, ``ap_large``: of objects up to 32 x 32 and 96 x 96 pixels;
    - ``ar_1``, ``ar_10``, ``ar_100``: recall with so many detections of each class in a picture,
      over all overlaps; ``ar_small``, ``ar_medium``, ``ar_large``;
    - ``precision``, ``recall``: of the detections that are shown, at 50 %, all classes;
    - ``detections_per_object``: of these, those that lie on an object of their class, over the
      objects that have at least one on them. Above 1, things are found twice.

    Args:
        class_names: in the order of the labels.
        smallest_score: from which a detection is shown.
    """

    def __init__(self, class_names: Sequence[str], *, smallest_score: float = SHOWN) -> None:
        self.class_names = tuple(class_names)
        self.smallest_score = smallest_score
        self._classes = [ClassRecord() for _ in class_names]
        self._num_pictures = 0

    def update(self, found: Found, true: Truth) -> None:
        """Adds one picture."""
        true_areas = areas(true.regions)
        if true.areas is not None:
            true_areas = np.where(np.isnan(true.areas), true_areas, true.areas)
        for k in np.union1d(found.labels, true.labels).tolist():
            own = np.flatnonzero(found.labels == k)
            own = own[(-found.scores[own]).argsort(kind="stable")[:MAX_DETECTIONS]]
            of = np.flatnonzero(true.labels == k)
            regions, scores, is_crowd = found.regions[own], found.scores[own], true.is_crowd[of]
            overlap = overlaps(regions, true.regions[of], is_crowd)
            match = match_detections(
                overlap,
                found_areas=areas(regions),
                true_areas=true_areas[of],
                is_crowd=is_crowd,
            )
            self._classes[k].add(self._num_pictures, match, scores)
            self._classes[k].count_repeats(overlap[:, ~is_crowd], scores >= self.smallest_score)
        self._num_pictures += 1

    def extend(self, other: "AveragePrecision") -> None:
        """Adds the pictures of another, behind those that are here."""
        for mine, theirs in zip(self._classes, other._classes, strict=True):
            mine.extend(theirs, after=self._num_pictures)
        self._num_pictures += other._num_pictures

    def figures(self) -> dict[str, float]:
        """The figures as plain numbers; one that is not defined is left out.

        Raises:
            DataError: there is nothing to measure.
        """
        return self._figures([record.sort() for record in self._classes])

    def result(self, seed: int = 0) -> DetectionResult:
        """The figures with what is behind them.

        ``ap``, ``ap50`` and ``ap75`` have percentile intervals from 200 bootstrap resamples of the
        pictures; of the others both ends are the value.

        Args:
            seed: decides the resamples, and nothing else.

        Raises:
            DataError: there is nothing to measure.
        """
        classes = [record.sort() for record in self._classes]
        figures = self._figures(classes)
        metrics = {name: Estimate(value, value, value) for name, value in figures.items()}
        metrics |= self._intervals(figures, classes, seed)
        rows = zip(self.class_names, classes, self._classes, strict=True)
        return DetectionResult(
            n=self._num_pictures,
            metrics=metrics,
            per_class=tuple(_class_row(*row, self.smallest_score) for row in rows),
            precision_recall=tuple(_precision_rows(classes)),
        )

    def best_score(self) -> float:
        """From which score on detections should be shown: where the F1 of all classes is highest.

        With S detections shown, R of them right, and M objects, F1 is ``2 R / (S + M)``. The score
        lies half way to the next lower one. ``SHOWN`` where nothing that was found is right.
        """
        parts = [record.sort() for record in self._classes]
        scores = np.concatenate([each.counted()[0] for each in parts])
        is_right = np.concatenate([each.counted()[1] for each in parts])
        order = (-scores).argsort(kind="stable")
        scores, is_right = scores[order], is_right[order]
        if not is_right.any():
            return SHOWN
        num_objects = sum(each.num_objects for each in parts)
        f1 = 2 * is_right.cumsum() / (np.arange(1, len(scores) + 1) + num_objects)
        below = np.append(scores[1:], 0.0)
        last = int(np.where(scores > below, f1, -1.0).argmax())  # equal scores are not parted
        return float((scores[last] + below[last]) / 2)

    def _figures(self, classes: Sequence[SortedRecord]) -> dict[str, float]:
        num_objects = sum(each.num_objects for each in classes)
        if not num_objects:
            raise DataError(
                f"there is nothing to measure: none of {self._num_pictures} pictures has an object "
                "that counts; give pictures with objects, or check that this split is not empty"
            )
        averages = np.stack([each.averages() for each in classes])  # K T
        values = {
            "ap": _mean([averages.ravel()]),
            "ap50": _mean([averages[:, _AP50]]),
            "ap75": _mean([averages[:, _AP75]]),
        }
        sizes = ("small", "medium", "large")
        values |= {
            f"ap_{size}": _mean(each.averages(area=size) for each in classes) for size in sizes
        }
        for most in (1, 10, MAX_DETECTIONS):
            values[f"ar_{most}"] = _mean(each.recalls(most=most) for each in classes)
        values |= {
            f"ar_{size}": _mean(each.recalls(area=size) for each in classes) for size in sizes
        }
        num_shown, right = np.sum(
            [each.shown(self.smallest_score) for each in classes], axis=0
        ).tolist()
        values["precision"] = right / num_shown if num_shown else np.nan
        values["recall"] = right / num_objects
        covered = sum(record.num_covered for record in self._classes)
        on_objects = sum(record.num_on_objects for record in self._classes)
        values["detections_per_object"] = on_objects / covered if covered else np.nan
        return {name: value for name, value in values.items() if not np.isnan(value)}

    def _intervals(
        self, figures: dict[str, float], classes: Sequence[SortedRecord], seed: int
    ) -> dict[str, Estimate]:
        columns = {"ap": slice(None), "ap50": _AP50, "ap75": _AP75}
        drawn: dict[str, list[float]] = {name: [] for name in columns}
        counted = [each for each in classes if each.num_objects]
        for weights in resample_weights(
            self._num_pictures,
            num_resamples=NUM_RESAMPLES,
            generator=np.random.default_rng(seed),
        ):
            for row in weights:
                table = np.stack([each.averages(weights=row) for each in counted])  # K T
                for name, column in columns.items():
                    drawn[name].append(_mean([table[:, column].ravel()]))
        resampled = {name: np.array(values) for name, values in drawn.items()}
        return {
            name: percentile_estimate(figures[name], values[~np.isnan(values)])
            for name, values in resampled.items()
        }


def _class_row(
    name: str, found: SortedRecord, record: ClassRecord, smallest_score: float
) -> ClassPrecision:
    num_shown, right = found.shown(smallest_score)
    averages = found.averages() if found.num_objects else None
    return ClassPrecision(
        name=name,
        num_objects=found.num_objects,
        ap=None if averages is None else float(averages.mean()),
        ap50=None if averages is None else float(averages[_AP50]),
        ap75=None if averages is None else float(averages[_AP75]),
        precision=right / num_shown if num_shown else None,
        recall=right / found.num_objects if found.num_objects else None,
        detections_per_object=record.num_on_objects / record.num_covered
        if record.num_covered
        else None,
    )


def _precision_rows(classes: Sequence[SortedRecord]) -> Iterable[PrecisionRow]:
    curves = [each for each in (found.first_curve() for found in classes) if each is not None]
    precision = np.mean([each.precision for each in curves], axis=0)
    for i in range(0, len(RECALLS), _ROW_EVERY):
        yield PrecisionRow(recall=round(float(RECALLS[i]), 2), precision=float(precision[i]))


def _mean(parts: Iterable[Float64[np.ndarray, " _n"]]) -> float:
    """Over all that is defined; NaN where nothing is."""
    values = np.concatenate(list(parts))
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")
