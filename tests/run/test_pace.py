"""The plan follows the measured speed, but only when it is clearly off."""

import pytest

from saccade.run.pace import TOLERANCE, Pace


def started(seconds: float | None) -> Pace:
    """A pace that has seen its first look, at step 10 after 5 seconds."""
    pace = Pace(seconds)
    assert pace.planned_steps(step=10, planned=1000, seconds=5.0) == 1000
    return pace


def test_without_a_budget_the_plan_stays():
    pace = Pace(None)
    for step in (1, 10, 100):
        assert pace.planned_steps(step=step, planned=200, seconds=1e6) == 200


def test_a_plan_that_fits_is_left_alone():
    # 0.1 s a step since the first look; 100 s - 14 s leave 860 steps, and 900 - 20 are planned.
    pace = started(100.0)
    assert pace.planned_steps(step=100, planned=960, seconds=14.0) == 960


@pytest.mark.parametrize("off", [0.5, 2.0])
def test_a_plan_that_is_off_is_corrected_to_what_fits(off: float):
    pace = started(100.0)
    planned = 100 + round(860 * off)
    assert pace.planned_steps(step=100, planned=planned, seconds=14.0) == pytest.approx(960, abs=1)


def test_the_slow_first_steps_are_not_counted():
    # The first 10 steps took 50 s; since then a step takes 0.1 s.
    pace = Pace(100.0)
    pace.planned_steps(step=10, planned=200, seconds=50.0)
    assert pace.planned_steps(step=110, planned=200, seconds=60.0) == pytest.approx(510, abs=1)


def test_when_time_is_up_one_more_step_is_made():
    pace = started(100.0)
    assert pace.planned_steps(step=100, planned=1000, seconds=500.0) == 101


def test_the_end_is_never_moved_once_it_is_reached():
    pace = started(100.0)
    assert pace.planned_steps(step=1000, planned=1000, seconds=6.0) == 1000


@pytest.mark.parametrize("sign", [-1, 1])
def test_tolerance_is_a_share_of_the_steps_left(sign: int):
    inside = 100 + round(860 / (1 + sign * TOLERANCE * 0.5))
    outside = 100 + round(860 / (1 + sign * TOLERANCE * 1.5))
    assert started(100.0).planned_steps(step=100, planned=inside, seconds=14.0) == inside
    assert started(100.0).planned_steps(step=100, planned=outside, seconds=14.0) != outside
