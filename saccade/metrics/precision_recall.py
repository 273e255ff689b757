"""From detections sorted by score to precision and recall, and to the area between them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

RECALLS = np.linspace(0.0, 1.0, 101)
"""Where the precision is read; COCO's, to the last bit."""


class Curve(NamedTuple):
    """Precision against recall.

    Attributes:
        precision: at each of ``RECALLS``: the best one at this recall or a higher one; 0 where
            that recall is never reached.
        recall: with all detections.
    """

    precision: Float64[np.ndarray, " 101"]
    recall: float

    @property
    def average(self) -> float:
        """The average precision: the area under the curve."""
        return float(self.precision.mean())


def curve(
    is_right: Bool[np.ndarray, " n"],
    weights: Float64[np.ndarray, " n"],
    *,
    num_objects: int | float,
) -> Curve:
    """The curve of some detections, none of them ignored.

    Args:
        is_right: from the highest score down; the others are wrong.
        weights: how often each counts (1, or how often a resample drew its picture).
        num_objects: that there were to find, above 0.
    """
    right = (is_right * weights).cumsum()
    seen = weights.cumsum()
    recall = right / num_objects
    precision = right / np.maximum(seen, np.spacing(1))
    best = np.maximum.accumulate(precision[::-1])[::-1]
    place = recall.searchsorted(RECALLS, side="left")
    reached = np.append(best, 0.0)[place]
    return Curve(reached, float(recall[-1]) if len(recall) else 0.0)
