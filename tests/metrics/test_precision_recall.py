"""The curve and its area are those of the definition, and of numbers worked out by hand."""

import numpy as np
import pytest

from saccade.metrics.precision_recall import RECALLS, curve


def naive(right: list[bool], num_objects: int) -> list[float]:
    """At each recall the best precision of all prefixes that reach it."""
    precisions = []
    for wanted in RECALLS:
        best = 0.0
        for n in range(1, len(right) + 1):
            if sum(right[:n]) / num_objects >= wanted:
                best = max(best, sum(right[:n]) / n)
        precisions.append(best)
    return precisions


@pytest.mark.parametrize("seed", range(15))
def test_the_curve_is_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    right = rng.random(rng.integers(0, 30)) < 0.6
    num_objects = int(right.sum() + rng.integers(1, 5))

    found = curve(right, np.ones(len(right)), num_objects=num_objects)

    np.testing.assert_allclose(found.precision, naive(right.tolist(), num_objects))
    assert found.recall == pytest.approx(right.sum() / num_objects)


def test_two_right_and_one_wrong_by_hand() -> None:
    """Right, wrong, right, of two objects: precision 1 up to a recall of 1/2, then 2/3."""
    found = curve(np.array([True, False, True]), np.ones(3), num_objects=2)

    assert found.recall == 1.0
    assert found.average == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)


def test_a_weight_of_two_is_the_same_picture_twice() -> None:
    right, times = np.array([True, False, True, True, False]), np.array([2, 1, 0, 2, 3])

    weighted = curve(right, times.astype(float), num_objects=5)

    expected = curve(right.repeat(times), np.ones(times.sum()), num_objects=5)
    np.testing.assert_allclose(weighted.precision, expected.precision)
    assert weighted.recall == expected.recall


def test_no_detections_are_a_curve_of_zeros() -> None:
    found = curve(np.zeros(0, dtype=bool), np.zeros(0), num_objects=3)

    assert found.average == 0
    assert found.recall == 0
