"""Heun's method follows lines and curves, and noise belongs to a picture and not to its batch."""

import math

import pytest
import torch
from torch import Tensor

from saccade.tasks.flow.sampling import heun, last, logit_normal, noise_of, times_of

SHAPE = (3, 4, 5)


def test_a_straight_line_is_followed_exactly_in_one_step() -> None:
    noise, picture = torch.randn(2, *SHAPE), torch.randn(2, *SHAPE)

    end = last(heun(lambda z, t: picture - noise, noise, num_steps=1))

    torch.testing.assert_close(end, picture)


def test_points_come_one_for_each_step_and_the_beginning() -> None:
    noise = torch.randn(1, *SHAPE)

    points = list(heun(lambda z, t: z, noise, num_steps=4))

    assert [point.time for point in points] == [0, 0.25, 0.5, 0.75, 1]
    assert torch.equal(points[0].images, noise)


def test_halving_the_step_quarters_the_error() -> None:
    """Second order, but for Euler's last step, whose length halves too: z' = z ends at e."""
    start = torch.ones(1, 1, 1, 1, dtype=torch.float64)

    def error(num_steps: int) -> float:
        return abs(last(heun(lambda z, t: z, start, num_steps=num_steps)).item() - math.e)

    assert error(80) < 0.3 * error(40) < 0.09 * error(20)


def test_no_direction_is_asked_for_at_the_end_of_the_line() -> None:
    asked = []

    def direction(z: Tensor, time: Tensor) -> Tensor:
        asked.append(time[0].item())
        return z

    last(heun(direction, torch.ones(1, 1, 1, 1), num_steps=4))

    assert max(asked) < 1
    assert len(asked) == 2 * 4 - 1


def test_noise_is_standard_normal() -> None:
    noise = noise_of(torch.arange(400), shape=(1, 16, 16), seed=3, scale=1.0)

    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(1, abs=0.02)
    assert (noise.abs() < 1).float().mean().item() == pytest.approx(0.6827, abs=0.01)
    twice = noise_of(torch.arange(400), shape=(1, 16, 16), seed=3, scale=2.0)
    torch.testing.assert_close(twice, 2 * noise)
    between = torch.corrcoef(noise.flatten(1)[:8])
    assert (between - torch.eye(8)).abs().max() < 0.3


def test_the_noise_of_a_picture_does_not_depend_on_its_batch() -> None:
    many = noise_of(torch.tensor([5, 900, 7, 31]), shape=SHAPE, seed=1, scale=2.0)

    for k, i in enumerate([5, 900, 7, 31]):
        alone = noise_of(torch.tensor([i]), shape=SHAPE, seed=1, scale=2.0)
        assert torch.equal(alone[0], many[k])


def test_another_seed_and_another_picture_have_other_noise() -> None:
    ids = torch.tensor([5, 6])
    first, other = noise_of(ids, shape=SHAPE, seed=1, scale=1.0)
    again = noise_of(ids, shape=SHAPE, seed=2, scale=1.0)

    assert not torch.allclose(first, other, atol=0.1)
    assert not torch.allclose(first, again[0], atol=0.1)


def test_times_are_spread_over_all_there_are_and_belong_to_a_picture() -> None:
    times = times_of(torch.arange(500), mean=-0.8, std=0.8, num=4, seed=0)

    logits = torch.logit(times)
    assert logits.mean().item() == pytest.approx(-0.8, abs=0.02)
    assert logits.std().item() == pytest.approx(0.8, abs=0.03)
    assert (times.diff(dim=1) > 0).all()
    alone = times_of(torch.tensor([17]), mean=-0.8, std=0.8, num=4, seed=0)
    assert torch.equal(alone[0], times[17])


def test_the_middle_quantile_is_the_middle_time() -> None:
    half = torch.tensor([[0.5]], dtype=torch.float64)

    assert logit_normal(half, mean=0.0, std=3.0).item() == pytest.approx(0.5)
