"""What is kept of each picture gives back what was put in, in the order of the scores."""

import numpy as np
import pytest

from saccade.metrics.detection_match import AREA_RANGES, THRESHOLDS, Match
from saccade.metrics.detection_record import ClassRecord

NUM_SETTINGS = len(AREA_RANGES) * len(THRESHOLDS)


def match(is_right: list[bool], *, num_objects: int, is_ignored: bool = False) -> Match:
    """The same in every setting."""
    right = np.tile(np.array(is_right, dtype=bool), (NUM_SETTINGS, 1))
    return Match(
        is_right=right,
        is_ignored=np.full_like(right, is_ignored),
        num_objects=np.full(len(AREA_RANGES), float(num_objects)),
    )


def test_pictures_are_merged_by_score() -> None:
    record = ClassRecord()
    record.add(0, match([True, False], num_objects=1), np.array([0.9, 0.3]))
    record.add(1, match([False, True], num_objects=1), np.array([0.8, 0.6]))

    found = record.sort()

    # Right, wrong, right, wrong: precision 1 up to half of the objects, then 2/3.
    expected = (51 * 1 + 50 * 2 / 3) / 101
    np.testing.assert_allclose(found.averages(), np.full(len(THRESHOLDS), expected))
    assert found.num_objects == 2
    assert found.shown(0.6) == (3, 2)
    assert found.shown(0.85) == (1, 1)


def test_records_of_two_processes_are_those_of_one() -> None:
    """Their pictures are numbered on, so that each can be weighed in a resample."""
    seen = [
        (match([True, False], num_objects=1), np.array([0.9, 0.3])),
        (match([False, True], num_objects=2), np.array([0.8, 0.6])),
        (match([True], num_objects=1), np.array([0.7])),
    ]
    whole, first, second = ClassRecord(), ClassRecord(), ClassRecord()
    for number, (found, scores) in enumerate(seen):
        whole.add(number, found, scores)
        record, before = (first, 0) if number < 1 else (second, 1)
        record.add(number - before, found, scores)
    overlap = np.array([[0.9], [0.8]])
    for record in (whole, second):
        record.count_repeats(overlap, np.array([True, True]))

    first.extend(second, after=1)

    assert (first.num_on_objects, first.num_covered) == (2, 1)
    for weights in ([1.0, 1.0, 1.0], [0.0, 2.0, 1.0], [2.0, 1.0, 0.0]):
        each = np.array(weights)
        expected = whole.sort().averages(weights=each)
        assert (first.sort().averages(weights=each) == expected).all()


def test_fewer_detections_a_picture_find_fewer_objects() -> None:
    record = ClassRecord()
    record.add(0, match([False, True], num_objects=1), np.array([0.9, 0.3]))

    assert record.sort().recalls(most=1)[0] == 0
    assert record.sort().recalls(most=2)[0] == 1


def test_settings_are_kept_apart() -> None:
    """One bit of the 40 is set: it is found again in its own area range and threshold only."""
    right = np.zeros((NUM_SETTINGS, 1), dtype=bool)
    right[2 * len(THRESHOLDS) + 3] = True
    record = ClassRecord()
    numbers = np.ones(len(AREA_RANGES))
    record.add(0, Match(right, np.zeros_like(right), numbers), np.array([0.9]))

    found = record.sort()

    for area in AREA_RANGES:
        expected = np.zeros(len(THRESHOLDS))
        if area == "medium":
            expected[3] = 1
        np.testing.assert_allclose(found.averages(area=area), expected)


def test_weights_are_as_if_pictures_were_added_so_often() -> None:
    matches = [match([True, False], num_objects=2), match([False], num_objects=1)]
    scores = [np.array([0.7, 0.5]), np.array([0.6])]
    record, repeated = ClassRecord(), ClassRecord()
    for i, times in enumerate((3, 2)):
        record.add(i, matches[i], scores[i])
        for n in range(times):
            repeated.add(10 * i + n, matches[i], scores[i])

    weighted = record.sort().averages(weights=np.array([3.0, 2.0]))

    np.testing.assert_allclose(weighted, repeated.sort().averages())


def test_a_class_without_objects_has_no_figures() -> None:
    record = ClassRecord()
    record.add(0, match([False], num_objects=0), np.array([0.9]))

    assert np.isnan(record.sort().averages()).all()
    assert np.isnan(record.sort().recalls()).all()
    assert record.sort().first_curve() is None
    assert np.isnan(ClassRecord().sort().averages()).all()


def test_ignored_detections_are_neither_right_nor_wrong() -> None:
    record = ClassRecord()
    record.add(0, match([False], num_objects=0, is_ignored=True), np.array([0.9]))
    record.add(1, match([True], num_objects=1), np.array([0.8]))

    assert record.sort().averages()[0] == pytest.approx(1.0)
    assert record.sort().shown(0.5) == (1, 1)


def test_repeats_are_counted_among_what_is_shown_from_half_an_overlap() -> None:
    record = ClassRecord()
    overlap = np.array([[0.9, 0.0], [0.6, 0.5], [0.4, 0.0], [0.9, 0.9]])

    record.count_repeats(overlap, np.array([True, True, True, False]))

    assert (record.num_on_objects, record.num_covered) == (2, 2)
