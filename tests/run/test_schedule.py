"""The learning rate warms up, peaks at ``lr`` and falls smoothly to its final share of it."""

import itertools

import pytest

from saccade.run.schedule import learning_rate
from tests import tiny

OPTIM = tiny.config(optim__lr="0.01", optim__warmup="0.1", optim__final_lr="0.05").optim


def test_peak_is_reached_exactly_when_the_warm_up_ends():
    assert learning_rate(0.1, OPTIM) == pytest.approx(0.01)
    assert max(learning_rate(p / 1000, OPTIM) for p in range(1001)) == pytest.approx(0.01)


def test_warm_up_is_a_straight_line():
    assert learning_rate(0.05, OPTIM) == pytest.approx(0.005)
    assert learning_rate(0.025, OPTIM) == pytest.approx(0.0025)


def test_first_step_moves_the_weights_a_little():
    assert 0 < learning_rate(0.0, OPTIM) <= 0.01 * 0.01


def test_end_is_the_final_share_of_the_peak():
    assert learning_rate(1.0, OPTIM) == pytest.approx(0.01 * 0.05)


def test_halfway_down_is_the_mean_of_peak_and_end():
    assert learning_rate(0.55, OPTIM) == pytest.approx((0.01 + 0.0005) / 2)


def test_after_the_peak_it_only_falls_and_never_jumps():
    rates = [learning_rate(p / 1000, OPTIM) for p in range(100, 1001)]
    falls = [a - b for a, b in itertools.pairwise(rates)]
    assert min(falls) >= 0
    assert max(falls) < 0.01 * 0.002


@pytest.mark.parametrize("warmup", ["0", "1"])
def test_no_warm_up_and_nothing_but_warm_up_are_both_possible(warmup: str):
    optim = tiny.config(optim__lr="1", optim__warmup=warmup).optim
    rates = [learning_rate(p / 50, optim) for p in range(51)]
    assert all(0 < rate <= 1 for rate in rates)
    assert max(rates) == pytest.approx(1)


def test_rounding_beyond_the_end_does_not_turn_the_cosine_upwards():
    assert learning_rate(1.0 + 1e-9, OPTIM) == pytest.approx(learning_rate(1.0, OPTIM))
