"""Progress reaches 1 with the last planned step, whatever was re-planned; means are means."""

import dataclasses
import json
import math

import pytest

from saccade.run.state import RunState


def advance(state: RunState, steps: int, **figures: float) -> list[float]:
    found = []
    for _ in range(steps):
        state.advance(figures)
        found.append(state.progress)
    return found


@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
def test_progress_is_1_after_the_planned_steps(steps: int):
    state = RunState(planned_steps=steps)
    found = advance(state, steps)
    assert found == pytest.approx([(k + 1) / steps for k in range(steps)])
    assert state.step == steps


@pytest.mark.parametrize("planned", [12, 60, 400])
def test_progress_bends_to_a_new_plan_without_a_jump(planned: int):
    state = RunState(planned_steps=100)
    advance(state, 10)
    before = state.progress
    state.planned_steps = planned
    found = advance(state, planned - 10)
    assert found[0] - before == pytest.approx((1 - before) / (planned - 10))
    assert found[-1] == pytest.approx(1)
    assert found == sorted(found)


def test_means_are_over_the_steps_since_the_last_record():
    state = RunState(planned_steps=10)
    advance(state, 2, loss=1.0)
    advance(state, 2, loss=4.0)
    assert state.take_means() == {"loss": 2.5}
    advance(state, 1, loss=7.0)
    assert state.take_means() == {"loss": 7.0}


@pytest.mark.parametrize(
    ("is_low", "figures", "best"), [(True, [3, 1, 2], 1), (False, [3, 1, 4], 4)]
)
def test_best_figure_is_kept_with_its_step(is_low: bool, figures: list[float], best: float):
    state = RunState(planned_steps=10)
    kept = []
    for figure in figures:
        advance(state, 1)
        kept.append(state.note_evaluation(float(figure), is_low=is_low))
    assert state.best_figure == best
    assert state.best_step == figures.index(best) + 1
    assert kept[0]
    assert state.evaluated_step == 3


@pytest.mark.parametrize("is_low", [True, False])
def test_a_figure_that_is_no_number_gives_way_to_the_first_that_is(*, is_low: bool):
    state = RunState(planned_steps=10)
    kept = [state.note_evaluation(figure, is_low=is_low) for figure in (math.nan, 0.5, math.nan)]
    assert kept == [True, True, False]
    assert state.best_figure == 0.5


def test_an_equal_figure_does_not_replace_the_earlier_best():
    state = RunState(planned_steps=10)
    advance(state, 1)
    assert state.note_evaluation(0.5, is_low=True)
    advance(state, 1)
    assert not state.note_evaluation(0.5, is_low=True)
    assert state.best_step == 1


def test_state_survives_json_to_the_last_bit():
    state = RunState(planned_steps=7)
    advance(state, 3, loss=0.1 + 0.2, top1=1 / 3)
    state.note_evaluation(2 / 3, is_low=True)
    state.seconds = 1e-17 + 123.456
    assert RunState(**json.loads(json.dumps(state.to_json()))) == state
    assert state.to_json().keys() == {field.name for field in dataclasses.fields(RunState)}
