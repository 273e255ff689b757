"""Which detections of one class in one picture are right, at every threshold and size at once."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

MAX_DETECTIONS = 100
"""Of each class in each picture; what scores lower is not looked at."""

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Overlaps from which a detection counts as right; COCO's ten, to the last bit."""

AREA_RANGES = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""Square pixels of the object, both ends included."""


class Match(NamedTuple):
    """What became of some detections, and how many objects there were to find.

    S counts the settings: each area range (in order) with each threshold.

    Attributes:
        is_right: whether it found an object that counts.
        is_ignored: whether it counts neither as right nor as wrong: it found a crowd, or it or
            what it found has another size than is asked about.
        num_objects: that count, in each area range.
    """

    is_right: Bool[np.ndarray, "S d"]
    is_ignored: Bool[np.ndarray, "S d"]
    num_objects: Float64[np.ndarray, " A"]


def match_detections(
    overlap: Float64[np.ndarray, "d g"],
    *,
    found_areas: Float64[np.ndarray, " d"],
    true_areas: Float64[np.ndarray, " g"],
    is_crowd: Bool[np.ndarray, " g"],
) -> Match:
    """Gives each detection, best score first, the free object that it overlaps most.

    An object that counts goes before one that does not, however much the latter overlaps. The
    naive version, for one area range and one threshold::

        for d in range(num_detections):
            best, best_overlap = None, threshold
            for g in [g for g in objects if counts(g)] + [g for g in objects if not counts(g)]:
                if is_taken[g] and not is_crowd[g]:
                    continue
                if best is not None and counts(best) and not counts(g):
                    break
                if overlap[d, g] >= best_overlap:
                    best, best_overlap = g, overlap[d, g]

    Args:
        overlap: from ``saccade.metrics.overlap``; rows from the highest score down.
        found_areas, true_areas: square pixels, to tell small from large.
        is_crowd: which objects stand for many; they can be found any number of times.
    """
    low, high = np.array(list(AREA_RANGES.values())).T[:, :, None]  # each A 1
    ignores_true = is_crowd | (true_areas < low) | (true_areas > high)  # A g
    ignores_found = (found_areas < low) | (found_areas > high)  # A d

    num_thresholds = len(THRESHOLDS)
    ignores_true_each = ignores_true.repeat(num_thresholds, axis=0)  # S g
    thresholds = np.tile(THRESHOLDS, len(AREA_RANGES))[:, None]  # S 1
    settings = np.arange(len(thresholds))
    num_found, num_true = overlap.shape
    is_taken = np.zeros((len(settings), num_true), dtype=bool)
    is_matched = np.zeros((len(settings), num_found), dtype=bool)
    is_right = np.zeros_like(is_matched)
    for d in range(num_found if num_true else 0):
        if overlap[d].max() < THRESHOLDS[0]:
            continue
        is_possible = (overlap[d] >= thresholds) & (is_crowd | ~is_taken)  # S g
        rank = np.where(is_possible, overlap[d] + 10.0 * ~ignores_true_each, -1.0)
        best = num_true - 1 - rank[:, ::-1].argmax(axis=1)  # of equal ones the last, as in COCO
        has_one = is_possible[settings, best]
        is_taken[settings[has_one], best[has_one]] = True
        is_matched[:, d] = has_one
        is_right[:, d] = has_one & ~ignores_true_each[settings, best]

    is_outside = ignores_found.repeat(num_thresholds, axis=0)
    is_ignored = np.where(is_matched, ~is_right, is_outside)
    return Match(is_right, is_ignored, (~ignores_true).sum(axis=1).astype(np.float64))
