"""Cross-entropy is its formula, in nats and in fp32."""

import math

import pytest
import torch

from saccade.losses.classify import cross_entropy


def naive(logits: list[list[float]], labels: list[int], smoothing: float) -> float:
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        norm = math.log(sum(math.exp(value) for value in row))
        for k, value in enumerate(row):
            target = (1 - smoothing) * (k == label) + smoothing / len(row)
            total -= target * (value - norm)
    return total / len(labels)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_the_loss_is_the_written_formula(smoothing: float) -> None:
    logits = torch.randn(5, 7)
    labels = torch.tensor([0, 6, 3, 3, 1])

    loss = cross_entropy(logits, labels, label_smoothing=smoothing)

    expected = naive(logits.tolist(), labels.tolist(), smoothing)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_equal_logits_cost_the_log_of_the_number_of_classes() -> None:
    loss = cross_entropy(torch.full((4, 10), 3.0), torch.arange(4), label_smoothing=0.1)

    assert loss.item() == pytest.approx(math.log(10))


def test_half_precision_logits_give_an_fp32_loss() -> None:
    logits = torch.randn(5, 7).bfloat16()
    labels = torch.arange(5)

    loss = cross_entropy(logits, labels, label_smoothing=0.1)

    assert loss.dtype == torch.float32
    assert torch.equal(loss, cross_entropy(logits.float(), labels, label_smoothing=0.1))


def test_large_logits_do_not_overflow() -> None:
    logits = torch.tensor([[3e4, -3e4, 0.0]])

    assert cross_entropy(logits, torch.tensor([0]), label_smoothing=0.0).item() == 0.0
    assert cross_entropy(logits, torch.tensor([2]), label_smoothing=0.0).item() == 3e4
