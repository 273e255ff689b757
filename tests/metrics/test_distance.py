"""Distances are those of the formulas, zero for equal sets, and grow with what they should see."""

import numpy as np
import pytest

from saccade.metrics.distance import (
    frechet,
    kernel_distance,
    nearest,
    nearest_row,
    with_interval,
)


def normal(count: int, *, dim: int = 4, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (count, dim))


def test_the_frechet_distance_of_a_set_to_itself_is_zero() -> None:
    a = normal(50)

    assert frechet(a, a) == pytest.approx(0, abs=1e-9)


def test_a_shift_alone_costs_its_squared_length() -> None:
    a = normal(50)

    assert frechet(a, a + np.array([3.0, 4.0, 0.0, 0.0])) == pytest.approx(25)


def test_of_gaussians_with_one_axis_it_is_known_in_closed_form() -> None:
    """Deviations s and t: (s - t)^2."""
    a = normal(100, dim=1)

    assert frechet(a, 3 * a - 2 * a.mean()) == pytest.approx(4 * a.std(ddof=1) ** 2)


def test_the_trace_of_the_root_is_that_of_the_matrix_product() -> None:
    a, b = normal(60) @ normal(4, seed=3), normal(80, seed=1) @ normal(4, seed=4)
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    roots = np.sqrt(np.linalg.eigvals(cov_a @ cov_b)).real.sum()
    gap = ((a.mean(0) - b.mean(0)) ** 2).sum()

    expected = gap + np.trace(cov_a) + np.trace(cov_b) - 2 * roots

    assert frechet(a, b) == pytest.approx(expected)
    assert frechet(b, a) == pytest.approx(expected)


def test_fewer_pictures_than_features_still_give_a_number() -> None:
    assert np.isfinite(frechet(normal(3, dim=8), normal(4, dim=8, seed=1)))


def test_the_kernel_distance_is_the_double_loop() -> None:
    a, b = normal(7), normal(5, shift=0.5, seed=1)

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 4 + 1) ** 3)

    within_a = np.mean([k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    within_b = np.mean([k(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
    between = np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(within_a + within_b - 2 * between)


def test_the_kernel_distance_has_no_bias_where_frechets_has() -> None:
    """Over many small samples of one distribution its mean is zero."""
    pairs = [(normal(8, seed=2 * k), normal(8, seed=2 * k + 1)) for k in range(300)]

    kernel = [kernel_distance(a, b) for a, b in pairs]

    assert abs(np.mean(kernel)) < 3 * np.std(kernel) / np.sqrt(len(kernel))
    assert np.mean([frechet(a, b) for a, b in pairs]) > 0.5


@pytest.mark.parametrize("distance", [frechet, kernel_distance])
def test_an_interval_holds_its_value_and_shrinks_with_more_pictures(distance) -> None:
    few = with_interval(distance, normal(40), normal(40, shift=0.5, seed=1))
    many = with_interval(distance, normal(400), normal(400, shift=0.5, seed=1))

    assert few.low <= few.value <= few.high
    assert many.high - many.low < 0.6 * (few.high - few.low)


def test_of_a_distance_of_means_the_interval_is_that_of_the_normal_distribution() -> None:
    """Its standard error is known: sqrt(1 / n + 1 / m)."""
    a, b = normal(400, dim=1), normal(200, dim=1, seed=1)

    found = with_interval(lambda x, y: float(x.mean() - y.mean()), a, b)

    error = np.sqrt(a.var(ddof=1) / 400 + b.var(ddof=1) / 200)
    assert (found.high - found.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.2)


def test_the_nearest_is_that_of_the_loop() -> None:
    a, b = normal(6), normal(9, seed=1)

    found = nearest(a, b)

    for k, x in enumerate(a):
        distances = np.linalg.norm(b - x, axis=1)
        assert found[k] == pytest.approx(distances.min())
        assert nearest_row(x, b) == distances.argmin()


def test_what_is_in_the_set_is_at_no_distance() -> None:
    a = normal(5)

    assert nearest(a[2:3], a)[0] == pytest.approx(0, abs=1e-6)


def test_single_pictures_have_distances_too() -> None:
    a, b = normal(1), normal(1, seed=1)

    assert frechet(a, b) == pytest.approx(np.square(a - b).sum())
    assert np.isfinite(kernel_distance(a, b))
    assert np.isfinite(with_interval(frechet, a, b).value)
