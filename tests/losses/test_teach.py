"""A student is told how far it is from its teacher, written out number by number."""

import math

import pytest
import torch
from torch import Tensor

from saccade.losses.teach import angle, hard_disagreement, soft_disagreement


def divergence(logits: Tensor, told: Tensor, temperature: float) -> float:
    """KL(teacher || student) times the squared temperature, with plain loops."""
    total = 0.0
    for mine, theirs in zip(logits.double().tolist(), told.double().tolist(), strict=True):
        p = [math.exp(x / temperature) for x in theirs]
        q = [math.exp(x / temperature) for x in mine]
        for a, b in zip(p, q, strict=True):
            total += a / sum(p) * math.log((a / sum(p)) / (b / sum(q)))
    return total / len(logits) * temperature**2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_soft_disagreement_is_the_divergence_from_the_teacher(temperature: float) -> None:
    torch.manual_seed(0)
    logits, told = torch.randn(5, 3), torch.randn(5, 3)

    found = soft_disagreement(logits, told, temperature=temperature)

    assert found.item() == pytest.approx(divergence(logits, told, temperature), rel=1e-4)


def test_who_says_the_same_is_not_corrected() -> None:
    told = torch.randn(4, 3)
    logits = (told + 5).requires_grad_()  # a shift of all logits says the same

    loss = soft_disagreement(logits, told, temperature=2.0)
    loss.backward()

    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6


def test_the_gradient_keeps_its_size_whatever_the_temperature() -> None:
    """At a high temperature it is the difference of the logits, over the number of classes."""
    told = torch.tensor([[1.0, -1.0, 0.0]])
    logits = torch.zeros(1, 3, requires_grad=True)

    soft_disagreement(logits, told, temperature=1000.0).backward()

    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, -told / 3, rtol=1e-2, atol=1e-3)


def test_hard_disagreement_asks_for_the_class_that_the_teacher_answers() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    told = torch.tensor([[0.1, 0.2], [-3.0, -4.0]])  # says 1, then 0

    expected = (math.log(1 + math.exp(2)) + math.log(1 + math.exp(1))) / 2
    assert hard_disagreement(logits, told).item() == pytest.approx(expected, rel=1e-6)


def test_the_angle_is_one_less_the_mean_cosine_and_length_does_not_matter() -> None:
    told = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])  # one picture, two cells
    same, across = torch.tensor([3.0, 0.0]), torch.tensor([0.1, 0.0])
    vectors = torch.stack([same, across])[None, None]

    both, turned = torch.cat([vectors, -vectors]), told.repeat(2, 1, 1, 1)
    torch.testing.assert_close(angle(both, turned), torch.tensor([0.5, 1.5]))


def test_losses_are_of_fp32_in_bf16_too() -> None:
    logits, told = torch.randn(4, 3).bfloat16(), torch.randn(4, 3)

    assert soft_disagreement(logits, told, temperature=2.0).dtype == torch.float32
    assert hard_disagreement(logits, told).dtype == torch.float32
    assert angle(logits[:, None, None], told[:, None, None]).dtype == torch.float32
