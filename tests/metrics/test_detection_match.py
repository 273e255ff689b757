"""Matching at all thresholds and sizes at once is the plain loop for each of them."""

import numpy as np
import pytest

from saccade.metrics.detection_match import AREA_RANGES, THRESHOLDS, match_detections


def naive(
    overlap: np.ndarray,
    *,
    threshold: float,
    counts: np.ndarray,
    is_crowd: np.ndarray,
    is_outside: np.ndarray,
) -> tuple[list[bool], list[bool]]:
    """One area range and one threshold, object by object; returns right and ignored."""
    order = [g for g, yes in enumerate(counts) if yes] + [
        g for g, yes in enumerate(counts) if not yes
    ]
    is_taken, is_right, is_ignored = [False] * len(counts), [], []
    for row, outside in zip(overlap, is_outside, strict=True):
        best, best_overlap = None, threshold
        for g in order:
            if is_taken[g] and not is_crowd[g]:
                continue
            if best is not None and counts[best] and not counts[g]:
                break
            if row[g] >= best_overlap:
                best, best_overlap = g, row[g]
        if best is not None:
            is_taken[best] = True
        is_right.append(best is not None and bool(counts[best]))
        is_ignored.append(bool(outside) if best is None else not counts[best])
    return is_right, is_ignored


@pytest.mark.parametrize("seed", range(25))
def test_every_setting_is_the_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num_found, num_true = rng.integers(0, 9), rng.integers(0, 6)
    overlap = rng.choice([0.0, 0.3, 0.5, 0.55, 0.7, 0.7, 0.95, 1.0], (num_found, num_true))
    found_areas, true_areas = (
        rng.choice([100.0, 1024.0, 5000.0, 9216.0, 2e4], num_found),
        rng.choice([100.0, 1024.0, 5000.0, 9216.0, 2e4], num_true),
    )
    is_crowd = rng.random(num_true) < 0.3

    match = match_detections(
        overlap, found_areas=found_areas, true_areas=true_areas, is_crowd=is_crowd
    )

    for a, (low, high) in enumerate(AREA_RANGES.values()):
        counts = ~is_crowd & (true_areas >= low) & (true_areas <= high)
        assert match.num_objects[a] == counts.sum()
        for t, threshold in enumerate(THRESHOLDS):
            right, ignored = naive(
                overlap,
                threshold=threshold,
                counts=counts,
                is_crowd=is_crowd,
                is_outside=(found_areas < low) | (found_areas > high),
            )
            assert match.is_right[a * len(THRESHOLDS) + t].tolist() == right
            assert match.is_ignored[a * len(THRESHOLDS) + t].tolist() == ignored


def match_one(overlap: list[list[float]], is_crowd: list[bool]) -> tuple[list[bool], list[bool]]:
    """At an overlap of 50 %, all sizes; everything is 50 x 50 pixels."""
    table = np.array(overlap)
    match = match_detections(
        table,
        found_areas=np.full(len(table), 2500.0),
        true_areas=np.full(len(is_crowd), 2500.0),
        is_crowd=np.array(is_crowd),
    )
    return match.is_right[0].tolist(), match.is_ignored[0].tolist()


def test_the_second_detection_of_an_object_is_wrong() -> None:
    assert match_one([[0.9], [0.8]], [False]) == ([True, False], [False, False])


def test_a_crowd_is_found_any_number_of_times_and_counts_for_nothing() -> None:
    assert match_one([[0.9], [0.8]], [True]) == ([False, False], [True, True])


def test_an_object_goes_before_a_crowd_that_overlaps_more() -> None:
    assert match_one([[0.9, 0.6]], [True, False]) == ([True], [False])


def test_a_detection_takes_the_object_it_overlaps_most_even_from_one_that_needs_it() -> None:
    assert match_one([[0.8, 0.7], [0.6, 0.0]], [False, False])[0] == [True, False]
