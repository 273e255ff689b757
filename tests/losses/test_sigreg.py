"""SIGReg is the Epps-Pulley statistic along each direction, and knows a Gaussian."""

import cmath
import math

import pytest
import torch

from saccade.losses.sigreg import LARGEST_T, NUM_POINTS, sigreg
from saccade.losses.visreg import random_directions

CPU = torch.device("cpu")


def slow_statistic(line: list[float]) -> float:
    """Of one sample, by the definition with complex numbers, on both sides of zero."""
    step = LARGEST_T / (NUM_POINTS - 1)
    total = 0.0
    for k in range(-(NUM_POINTS - 1), NUM_POINTS):
        t = k * step
        phi = sum(cmath.exp(1j * t * x) for x in line) / len(line)
        gaussian = math.exp(-(t**2) / 2)
        weight = 0.5 if abs(k) == NUM_POINTS - 1 else 1.0
        total += weight * step * abs(phi - gaussian) ** 2 * gaussian
    return len(line) * total


def test_it_is_the_statistic_averaged_over_directions_and_views() -> None:
    views, directions = torch.randn(2, 10, 5), random_directions(5, count=4, device=CPU)

    lines = [(view @ direction).tolist() for view in views for direction in directions.T]
    expected = sum(map(slow_statistic, lines)) / len(lines)

    assert sigreg(views, directions).item() == pytest.approx(expected, rel=1e-4)


def test_a_gaussian_pays_least() -> None:
    directions = random_directions(6, count=32, device=CPU)
    gaussian = torch.randn(1, 500, 6)
    others = {
        "wide": 2 * gaussian,
        "moved": gaussian + 1,
        "collapsed": torch.zeros(1, 500, 6),
        "line": gaussian[:, :, :1].expand(-1, -1, 6),
    }

    least = sigreg(gaussian, directions).item()

    for name, other in others.items():
        assert sigreg(other, directions).item() > 10 * least, name


def test_the_statistic_of_a_gaussian_does_not_grow_with_the_batch() -> None:
    directions = random_directions(6, count=64, device=CPU)
    small, large = (sigreg(torch.randn(4, n, 6), directions).item() for n in (50, 2000))

    assert small == pytest.approx(large, rel=0.4)
