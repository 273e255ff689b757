"""Reliability bins hold every picture once, and their error is 0 for a perfect forecaster."""

import numpy as np
import pytest

from saccade.metrics.calibration import bin_index, expected_calibration_error, reliability_bins


def test_edges_belong_to_the_bin_below_and_the_ends_are_inside():
    edges = np.array([0.0, 1e-9, 1 / 15, 1 / 15 + 1e-9, 1.0])
    assert bin_index(edges).tolist() == [0, 0, 0, 1, 14]


def test_certain_and_right_has_no_error():
    bins = reliability_bins(np.ones(7), np.ones(7, dtype=bool))
    assert bins[14].count == 7
    assert expected_calibration_error(bins) == 0.0


def test_certain_and_wrong_has_the_whole_error():
    bins = reliability_bins(np.ones(7), np.zeros(7, dtype=bool))
    assert expected_calibration_error(bins) == 1.0


def test_empty_bins_have_no_confidence():
    bins = reliability_bins(np.array([0.5]), np.array([True]))
    empty = [b for b in bins if b.count == 0]
    assert len(empty) == 14
    assert all(b.confidence is None and b.accuracy is None for b in empty)


def test_a_forecaster_that_keeps_its_word_has_a_small_error():
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.4, 1.0, size=50_000)
    bins = reliability_bins(confidence, generator.uniform(size=50_000) < confidence)
    assert expected_calibration_error(bins) == pytest.approx(0.0, abs=0.01)
