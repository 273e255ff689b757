"""The losses of metric learning are their formulas, and point the right way."""

import math

import pytest
import torch
import torch.nn.functional as F

from saccade.losses.embed import koleo_loss, proxy_loss


def test_the_proxy_loss_is_cross_entropy_over_divided_cosines() -> None:
    cosines, labels = torch.tensor([[0.9, -0.2, 0.1], [0.0, 0.5, 0.5]]), torch.tensor([0, 2])

    found = proxy_loss(cosines, labels, temperature=0.2)

    rows = [
        math.log(sum(math.exp(c / 0.2) for c in row)) - row[label] / 0.2
        for row, label in zip(cosines.tolist(), labels.tolist(), strict=True)
    ]
    assert found.item() == pytest.approx(sum(rows) / 2, rel=1e-5)


def test_the_proxy_loss_is_computed_in_fp32() -> None:
    cosines = torch.rand(4, 3, dtype=torch.bfloat16)

    assert proxy_loss(cosines, torch.zeros(4).long(), temperature=0.05).dtype == torch.float32


def test_koleo_is_minus_the_mean_log_distance_to_the_nearest() -> None:
    vectors = F.normalize(torch.randn(7, 3, generator=torch.Generator().manual_seed(0)), dim=1)

    distances = torch.cdist(vectors, vectors).fill_diagonal_(torch.inf).amin(dim=1)

    expected = -distances.log().mean().item()
    assert koleo_loss(vectors).item() == pytest.approx(expected, rel=1e-2)


def test_koleo_pushes_nearest_neighbours_apart() -> None:
    vectors = F.normalize(torch.tensor([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.0]]), dim=1)
    moved = vectors.clone().requires_grad_()

    koleo_loss(moved).backward()

    assert moved.grad is not None
    step = F.normalize(vectors - 0.05 * moved.grad, dim=1)
    assert (step[0] - step[1]).norm() > (vectors[0] - vectors[1]).norm()


def test_two_equal_vectors_cost_much_and_not_without_limit() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)

    loss = koleo_loss(vectors)
    loss.backward()

    assert 5 < loss.item() < 20
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()
