"""Intervals have the published ends, stay in [0, 1] and hold the truth 95 times in 100."""

import numpy as np
import pytest

from saccade.metrics.intervals import mean_estimate, percentile_estimate, resample_weights, wilson


def test_wilson_solves_its_defining_equation():
    """Both ends are the shares p at which the observed one is 1.96 standard errors away."""
    found = wilson(17, 25)
    for end in (found.low, found.high):
        assert abs(17 / 25 - end) == pytest.approx(1.959964 * np.sqrt(end * (1 - end) / 25))


@pytest.mark.parametrize("n", [1, 20, 412])
def test_wilson_at_the_edges_stays_inside_and_stays_unsure(n: int):
    nothing, everything = wilson(0, n), wilson(n, n)
    assert nothing.low == 0.0 < nothing.high < 1.0
    assert 0.0 < everything.low < everything.high == 1.0


def test_wilson_holds_the_truth_about_95_times_in_100():
    drawn = np.random.default_rng(0).binomial(60, 0.9, size=2000)
    held = [e.low <= 0.9 <= e.high for e in (wilson(int(k), 60) for k in drawn)]
    assert 0.93 < np.mean(held) < 0.98


def test_resamples_draw_n_pictures_evenly():
    rows = np.concatenate(
        list(resample_weights(30, num_resamples=400, generator=np.random.default_rng(0)))
    )
    assert rows.shape == (400, 30)
    assert (rows.sum(axis=1) == 30).all()
    assert rows.mean(axis=0) == pytest.approx(np.ones(30), abs=0.25)
    assert rows.var() == pytest.approx(1 - 1 / 30, abs=0.05)


def test_many_pictures_are_resampled_in_pieces():
    pieces = list(resample_weights(1_500_000, num_resamples=3, generator=np.random.default_rng(0)))
    assert [len(piece) for piece in pieces] == [2, 1]


def test_percentile_interval_is_widened_to_hold_its_value():
    estimate = percentile_estimate(0.01, np.linspace(0.02, 0.06, 500))
    assert estimate.low == estimate.value == 0.01
    assert estimate.high == pytest.approx(0.059)


def test_a_mean_has_the_interval_that_its_spread_and_number_ask_for():
    values = np.random.default_rng(0).normal(3.0, 2.0, 400).astype(np.float32)
    found = mean_estimate(values)
    assert found.value == pytest.approx(values.mean(dtype=np.float64))
    # 1.96 standard errors to each side
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
