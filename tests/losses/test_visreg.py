"""VISReg is its formula, is least for a standard Gaussian, and pulls collapsed vectors apart."""

import math
from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from saccade.losses.visreg import random_directions, visreg

CPU = torch.device("cpu")


def slow_visreg(views: Tensor, directions: Tensor) -> dict[str, float]:
    """View by view, channel by channel, direction by direction."""
    count = views.shape[1]
    quantiles = torch.tensor([NormalDist().inv_cdf(i / (count + 1)) for i in range(1, count + 1)])
    centre, scale, shape = [], [], []
    for z in views:
        mean = z.sum(dim=0) / count
        std = (((z - mean) ** 2).sum(dim=0) / count).sqrt()
        centre += [float(m) ** 2 for m in mean]
        scale += [(1 - float(s)) ** 2 for s in std]
        for direction in directions.T:
            line = ((z - mean) / (std + 1e-4)) @ direction
            shape.append(((line.sort().values - quantiles) ** 2).mean().item())
    return {
        "centre": sum(centre) / len(centre),
        "scale": sum(scale) / len(scale),
        "shape": sum(shape) / len(shape),
    }


def test_the_terms_are_their_formulas() -> None:
    views, directions = 3 * torch.rand(3, 20, 6) + 1, random_directions(6, count=9, device=CPU)

    found = visreg(views, directions)

    for name, value in slow_visreg(views, directions).items():
        assert found[name].item() == pytest.approx(value, rel=1e-4), name


def test_a_standard_gaussian_has_next_to_nothing_to_pay() -> None:
    directions = random_directions(8, count=64, device=CPU)
    gaussian = torch.randn(2, 2000, 8)
    two_clumps = torch.randn(2, 2000, 8) * 0.1 + (torch.rand(2, 2000, 8) > 0.5) * 2 - 1

    assert sum(visreg(gaussian, directions).values()) < 0.01
    assert visreg(two_clumps, random_directions(8, count=1, device=CPU))["shape"] > 0
    assert visreg(gaussian.abs(), directions)["centre"] > 0.5
    assert visreg(3 * gaussian, directions)["scale"] > 3


def test_correlated_channels_are_seen_by_the_shape_alone() -> None:
    """Each channel is a standard Gaussian; together they are a line."""
    line = torch.randn(1, 500, 1).expand(-1, -1, 8)

    found = visreg(line, random_directions(8, count=64, device=CPU))

    assert found["centre"] + found["scale"] < 0.05
    assert found["shape"] > 0.2


def test_the_shape_pulls_nothing_together() -> None:
    """Its gradient along "all a little larger" is zero, so small batches do not collapse."""
    views = (0.1 * torch.randn(2, 8, 4)).requires_grad_()
    directions = random_directions(4, count=32, device=CPU)

    visreg(views, directions)["shape"].backward()

    assert views.grad is not None
    around_the_mean = views.detach() - views.detach().mean(dim=1, keepdim=True)
    along = (views.grad * around_the_mean).sum()
    across = views.grad.norm() * around_the_mean.norm()
    assert across > 0.01
    assert along.abs() < 2e-3 * across


def test_the_gradient_grows_as_vectors_collapse() -> None:
    directions = random_directions(8, count=32, device=CPU)
    norms = []
    for scale in (1.0, 1e-2, 1e-4):
        views = (scale * torch.randn(1, 64, 8)).requires_grad_()
        torch.stack(list(visreg(views, directions).values())).sum().backward()
        assert views.grad is not None
        norms.append(views.grad.norm().item())

    assert norms[0] < norms[1] < norms[2]


def test_descending_spreads_vectors_that_have_collapsed() -> None:
    views = torch.nn.Parameter(0.01 * torch.randn(1, 64, 4))
    optimizer = torch.optim.Adam([views], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        directions = random_directions(4, count=16, device=CPU)
        torch.stack(list(visreg(views, directions).values())).sum().backward()
        optimizer.step()

    assert views.std(dim=1, correction=0).min() > 0.8
    assert torch.corrcoef(views.detach()[0].T).sub(torch.eye(4)).abs().max() < 0.3


def test_directions_have_unit_length_and_differ_each_time() -> None:
    first, second = (random_directions(7, count=50, device=CPU) for _ in range(2))

    torch.testing.assert_close(first.norm(dim=0), torch.ones(50))
    assert not torch.equal(first, second)
    assert first.mean(dim=1).abs().max() < 4 / math.sqrt(7 * 50)


def test_a_generator_fixes_the_directions() -> None:
    first, second = (
        random_directions(7, count=5, device=CPU, generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    )

    assert torch.equal(first, second)
