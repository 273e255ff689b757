"""Risk over coverage equals the plain loop, and refusing the unsure is a threshold."""

import numpy as np
import pytest

from saccade.metrics.selective import (
    NUM_POINTS,
    REFUSED,
    expected_mistakes,
    risk_area,
    risk_curve,
    risks,
)


def answers(n: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.3, 1, n)
    return confidence, rng.uniform(size=n) < confidence


def area(confidence: np.ndarray, correct: np.ndarray) -> float:
    order = np.argsort(-confidence, kind="stable")
    mistakes = expected_mistakes(confidence, correct)[order]
    return float(risk_area(np.ones((1, len(order))), mistakes)[0])


def test_the_area_equals_the_plain_loop():
    confidence, correct = answers(60)
    wrong = ~correct[np.argsort(-confidence)]
    assert area(confidence, correct) == pytest.approx(
        np.mean([wrong[: k + 1].mean() for k in range(60)])
    )


def test_weights_are_the_same_as_pictures_that_come_twice():
    confidence, correct = answers(30, seed=1)
    order = np.argsort(-confidence)
    times = np.random.default_rng(2).integers(1, 3, 30)
    mistakes = (~correct[order]).astype(float)
    found = risk_area(times[None].astype(float), mistakes)[0]
    shares = np.cumsum(times * mistakes) / np.cumsum(times)
    assert found == pytest.approx((times * shares).sum() / times.sum())
    assert risk_area(np.array([[0.0, 1.0, 1.0]]), np.array([1.0, 0.0, 1.0]))[0] == 0.25


def test_confidence_that_says_nothing_has_the_error_as_its_area():
    correct = np.arange(100) % 4 > 0
    assert area(np.full(100, 0.5), correct) == pytest.approx(0.25)
    assert [risk for _, risk in risk_curve(np.full(100, 0.5), correct)] == [0.25] * 100


def test_mistakes_of_equal_confidence_are_shared_whatever_their_order():
    confidence, correct = np.array([0.9, 0.9, 0.5]), np.array([True, False, False])
    assert expected_mistakes(confidence, correct).tolist() == [0.5, 0.5, 1.0]


def test_mistakes_ranked_last_leave_a_perfect_rest():
    confidence, correct = np.linspace(0.1, 1, 100), np.arange(100) >= 10
    found = {round(each.refused, 3): each.wrong.value for each in risks(confidence, correct)}
    assert found[0.0] == 0.1
    assert found[0.1] == found[0.5] == 0.0
    assert found[0.05] == pytest.approx(5 / 95)


def test_each_row_is_a_threshold_on_probability():
    confidence, correct = answers(200, seed=3)
    for asked, row in zip(REFUSED, risks(confidence, correct), strict=True):
        kept = confidence >= row.probability
        assert row.n == kept.sum()
        assert row.refused == pytest.approx(asked, abs=0.5 / 200)
        assert row.wrong.value == pytest.approx((~correct[kept]).mean())
        assert row.wrong.low <= row.wrong.value <= row.wrong.high


def test_answers_equally_sure_are_refused_together_or_not_at_all():
    rows = risks(np.array([0.4] * 5 + [0.8] * 5), np.array([False] * 5 + [True] * 5))
    assert [row.n for row in rows] == [10, 10, 10, 10, 10, 5]
    assert risks(np.array([1.0]), np.array([True]))[-1].n == 1


@pytest.mark.parametrize("n", [1, 7, 100, 1234])
def test_the_curve_ends_with_every_picture_and_is_short(n: int):
    confidence, correct = answers(n, seed=4)
    points = risk_curve(confidence, correct)
    assert len(points) == min(n, NUM_POINTS)
    assert points[-1] == (1.0, pytest.approx((~correct).mean()))
    assert points[0][1] == pytest.approx((~correct[np.argsort(-confidence)][: -(-n // 100)]).mean())
