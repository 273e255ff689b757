"""Panoptic quality: were the right objects found, and how well do their outlines fit (1801.00868).

A found segment and a true one of the same class match when their overlap is more than half of
their union; then neither can match another one, so no search is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int32, Int64

from saccade.data.annotations import IGNORED_SEGMENT
from saccade.metrics.intervals import Estimate, percentile_estimate, resample_weights

SMALLEST_MATCH = 0.5
"""Overlap over union that a match must exceed."""

NUM_RESAMPLES = 500


@dataclass(frozen=True)
class PanopticRow:
    """One class of an evaluation; what is undefined is None.

    Attributes:
        name: the class.
        segments: how many there truly are.
        pq: panoptic quality, the product of the next two.
        sq: segmentation quality, the mean overlap over union of the matched.
        rq: recognition quality, the F1 score of finding them.
        precision, recall: of finding them.
    """

    name: str
    segments: int
    pq: float | None
    sq: float | None
    rq: float | None
    precision: float | None
    recall: float | None


class PanopticMetrics:
    """Counts matches, four numbers for each class of each picture.

    Args:
        class_names: the K names, in the order of the class ids.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.class_names = tuple(class_names)
        self._counts: list[Float[np.ndarray, "4 K"]] = []  # overlap, matched, missed, false

    @property
    def n(self) -> int:
        """How many pictures were counted."""
        return len(self._counts)

    def update(
        self,
        predicted: Int32[np.ndarray, "H W"],
        predicted_labels: Int64[np.ndarray, " m"],
        truth: Int32[np.ndarray, "H W"],
        truth_labels: Int64[np.ndarray, " m2"],
    ) -> None:
        """Adds one picture.

        Args:
            predicted: 0 where there is no segment, k for segment k.
            predicted_labels: the class of segment k at k - 1.
            truth: the same, and ``IGNORED_SEGMENT`` for pixels that do not count.
            truth_labels: the same; a segment without pixels counts as not there.
        """
        overlaps = _overlaps(predicted, len(predicted_labels), truth, len(truth_labels))
        unknown, known = overlaps[:, 0], overlaps[:, 1:]  # by predicted; by predicted and true
        both = known[1:, 1:]  # m m2
        said, true = known[1:].sum(axis=1), known[:, 1:].sum(axis=0)
        union = said[:, None] + true[None] - both
        is_same = predicted_labels[:, None] == truth_labels[None]
        iou = np.where(is_same, both / np.maximum(union, 1), 0.0)
        is_match = iou > SMALLEST_MATCH

        counts = np.zeros((4, len(self.class_names)))
        found, missed = is_match.any(axis=1), ~is_match.any(axis=0) & (true > 0)
        # What lies mostly where nobody knows is neither right nor wrong; half is not most.
        is_false = ~found & (said >= unknown[1:]) & (said > 0)
        np.add.at(counts[0], predicted_labels, iou.max(axis=1, initial=0.0) * found)
        np.add.at(counts[1], predicted_labels, found)
        np.add.at(counts[2], truth_labels, missed)
        np.add.at(counts[3], predicted_labels, is_false)
        self._counts.append(counts)

    def extend(self, other: "PanopticMetrics") -> None:
        """Adds the pictures of another, behind those that are here."""
        self._counts += other._counts

    def counts_of_pictures(self) -> Int64[np.ndarray, "n 3"]:
        """Matched, missed and falsely found segments of each picture."""
        return np.stack(self._counts)[:, 1:].sum(axis=2).astype(np.int64)

    def per_class(self) -> tuple[PanopticRow, ...]:
        """One row per class, in order."""
        overlap, matched, missed, false = np.stack(self._counts).sum(axis=0).tolist()
        return tuple(
            PanopticRow(
                name=name,
                segments=int(matched[k] + missed[k]),
                pq=_ratio(overlap[k], matched[k] + (missed[k] + false[k]) / 2),
                sq=_ratio(overlap[k], matched[k]),
                rq=_ratio(matched[k], matched[k] + (missed[k] + false[k]) / 2),
                precision=_ratio(matched[k], matched[k] + false[k]),
                recall=_ratio(matched[k], matched[k] + missed[k]),
            )
            for k, name in enumerate(self.class_names)
        )

    def metrics(self) -> dict[str, Estimate]:
        """``pq``, ``sq`` and ``rq``: means over the classes that are there or were said to be.

        Intervals: pictures drawn again, 500 times.
        """
        counts = np.stack(self._counts)  # n 4 K
        everything = _figures(counts, np.ones((1, len(counts))))
        generator = np.random.default_rng(0)
        resampled = [
            _figures(counts, weights)
            for weights in resample_weights(
                len(counts), num_resamples=NUM_RESAMPLES, generator=generator
            )
        ]
        return {
            name: percentile_estimate(
                float(values[0]), np.concatenate([each[name] for each in resampled])
            )
            for name, values in everything.items()
        }


def _overlaps(
    predicted: Int32[np.ndarray, "H W"],
    num_predicted: int,
    truth: Int32[np.ndarray, "H W"],
    num_true: int,
) -> Int64[np.ndarray, "m_and_1 m2_and_2"]:
    """Pixels that each predicted segment (or none) shares with each true one (unknown, none)."""
    assert IGNORED_SEGMENT == -1
    columns = num_true + 2
    pairs = predicted.astype(np.int64) * columns + (truth + 1)
    counts = np.bincount(pairs.ravel(), minlength=(num_predicted + 1) * columns)
    return counts.reshape(num_predicted + 1, columns)


def _figures(
    counts: Float[np.ndarray, "n 4 K"], weights: Float[np.ndarray, "R n"]
) -> dict[str, Float[np.ndarray, " R"]]:
    totals = np.einsum("rn,njk->rjk", weights, counts)
    overlap, matched, missed, false = np.moveaxis(totals, 1, 0)  # R K each
    below = matched + (missed + false) / 2
    is_there = below > 0
    num_classes = np.maximum(is_there.sum(axis=1), 1)
    return {
        "pq": (overlap / np.maximum(below, 0.5)).sum(axis=1) / num_classes,
        "sq": (overlap / np.maximum(matched, 1)).sum(axis=1)
        / np.maximum((matched > 0).sum(axis=1), 1),
        "rq": (matched / np.maximum(below, 0.5)).sum(axis=1) / num_classes,
    }


def _ratio(above: float, below: float) -> float | None:
    return float(above / below) if below else None
