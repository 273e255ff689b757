"""A step of Muon is an orthogonal one, the same whether matrices are taken together or alone."""

import pytest
import torch
from torch import Tensor, nn

from saccade.run.optim.muon import RMS, Muon, orthogonalise

STEP = {"lr": 0.02, "momentum": 0.95, "weight_decay": 0.1}


def moved(values: list[Tensor], steps: list[list[Tensor]], *, num_parts: int = 1) -> list[Tensor]:
    parameters = [nn.Parameter(value.clone()) for value in values]
    optimizer = Muon([{"params": parameters, "num_parts": num_parts}], **STEP)
    for gradients in steps:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
    return [parameter.detach() for parameter in parameters]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(16, 16), (24, 8), (8, 24)])
def test_it_moves_as_torch_does_one_matrix_at_a_time(shape: tuple[int, int]) -> None:
    weight, gradients = random(*shape), [random(*shape, seed=1 + i) for i in range(3)]
    theirs = nn.Parameter(weight.clone())
    reference = torch.optim.Muon([theirs], **STEP, adjust_lr_fn="match_rms_adamw")
    for gradient in gradients:
        theirs.grad = gradient.clone()
        reference.step()

    (ours,) = moved([weight], [[gradient] for gradient in gradients])

    path = (theirs.detach() - weight).norm()
    assert (ours - theirs.detach()).norm() < 0.04 * path  # both round to bf16, in another order


def test_matrices_of_one_shape_do_not_mix() -> None:
    weights = [random(12, 8, seed=i) for i in range(3)]
    gradients = [random(12, 8, seed=9 + i) * 10**i for i in range(3)]

    together = moved(weights, [gradients])

    for weight, gradient, after in zip(weights, gradients, together, strict=True):
        (alone,) = moved([weight], [[gradient]])
        torch.testing.assert_close(after, alone, atol=1e-5, rtol=0)


def test_queries_keys_and_values_are_three_matrices() -> None:
    weight, gradient = random(24, 8), random(24, 8, seed=1)

    (whole,) = moved([weight], [[gradient]], num_parts=3)

    parts = moved([*weight.chunk(3)], [[*gradient.chunk(3)]])
    torch.testing.assert_close(whole, torch.cat(parts), atol=1e-5, rtol=0)


def test_a_kernel_is_a_matrix_with_a_row_for_each_channel_that_comes_out() -> None:
    weight, gradient = random(6, 4, 3, 3), random(6, 4, 3, 3, seed=1)
    kernel = weight.contiguous(memory_format=torch.channels_last)

    (after,) = moved([kernel], [[gradient]])

    (flat,) = moved([weight.flatten(1)], [[gradient.flatten(1)]])
    torch.testing.assert_close(after, flat.view_as(after), atol=1e-5, rtol=0)


def test_directions_have_singular_values_near_one() -> None:
    wide = random(2, 10, 30) * torch.logspace(-2, 1, 30)

    values = torch.linalg.svdvals(orthogonalise(wide).float())

    assert values.min() > 0.4
    assert values.max() < 1.3


def test_a_step_is_as_large_as_one_of_adamw() -> None:
    weight = torch.zeros(64, 64)

    (after,) = moved([weight], [[random(64, 64)]])

    rms = after.square().mean().sqrt() / STEP["lr"]
    assert rms == pytest.approx(RMS, rel=0.2)


def test_no_gradient_is_no_step() -> None:
    weight = nn.Parameter(random(4, 4))
    optimizer = Muon([{"params": [weight]}], **STEP)

    optimizer.step()

    assert torch.equal(weight.detach(), random(4, 4))


def test_a_gradient_of_zeros_moves_nothing_but_by_decay() -> None:
    (after,) = moved([random(4, 4)], [[torch.zeros(4, 4)]])

    torch.testing.assert_close(after, random(4, 4) * (1 - STEP["lr"] * STEP["weight_decay"]))
