"""Pixel losses are their formulas, and what is ignored counts nowhere."""

import pytest
import torch

from saccade.losses.segment import pixel_cross_entropy, soft_dice

IGNORED = 255


def example() -> tuple[torch.Tensor, torch.Tensor]:
    logits = torch.randn(2, 3, 4, 5)
    classes = torch.randint(0, 3, (2, 4, 5), dtype=torch.uint8)
    classes[0, 0, :3] = IGNORED
    classes[1, 3, 4] = IGNORED
    return logits, classes


def naive_cross_entropy(
    logits: torch.Tensor, classes: torch.Tensor, *, balance: float, smoothing: float
) -> float:
    found, weights = [], []
    known = classes[classes != IGNORED]
    for b, row, column in (classes != IGNORED).nonzero().tolist():
        log_probs = logits[b, :, row, column].log_softmax(dim=0)
        true = log_probs[int(classes[b, row, column])]
        weight = (known == classes[b, row, column]).float().mean() ** -balance
        found.append(-weight * ((1 - smoothing) * true + smoothing * log_probs.mean()))
        weights.append(weight)
    return float(torch.stack(found).sum() / torch.stack(weights).sum())


def naive_dice(logits: torch.Tensor, classes: torch.Tensor) -> float:
    probs, lost = logits.softmax(dim=1), []
    for k in range(logits.shape[1]):
        known = classes != IGNORED
        p, y = probs[:, k][known], (classes[known] == k).float()
        if y.sum():
            lost.append(1 - 2 * (p * y).sum() / (p.sum() + y.sum()))
    return float(torch.stack(lost).mean())


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_cross_entropy_is_a_mean_over_known_pixels_weighted_by_their_class(
    balance: float, smoothing: float
) -> None:
    logits, classes = example()
    classes[classes == 2] = 1  # class 2 is not there, and class 1 is frequent

    found = pixel_cross_entropy(logits, classes, balance=balance, label_smoothing=smoothing)

    expected = naive_cross_entropy(logits, classes, balance=balance, smoothing=smoothing)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_dice_is_one_minus_the_overlap_of_each_class_that_is_there() -> None:
    logits, classes = example()
    classes[classes == 2] = 1  # class 2 is not there

    assert soft_dice(logits, classes).item() == pytest.approx(naive_dice(logits, classes), rel=1e-5)


@pytest.mark.parametrize("loss", ["cross_entropy", "dice"])
def test_ignored_pixels_have_no_gradient(loss: str) -> None:
    logits, classes = example()
    logits.requires_grad_()

    if loss == "dice":
        soft_dice(logits, classes).backward()
    else:
        pixel_cross_entropy(logits, classes, balance=0.5, label_smoothing=0.1).backward()

    assert logits.grad is not None
    is_ignored = (classes == IGNORED)[:, None].expand(-1, 3, -1, -1)
    assert not logits.grad[is_ignored].any()
    assert logits.grad[~is_ignored].all()


def test_with_nothing_known_both_are_zero() -> None:
    logits = torch.randn(1, 3, 2, 2)
    classes = torch.full((1, 2, 2), IGNORED, dtype=torch.uint8)

    assert pixel_cross_entropy(logits, classes, balance=0.5, label_smoothing=0.0).item() == 0
    assert soft_dice(logits, classes).item() == 0


def test_certain_and_right_is_a_dice_of_zero() -> None:
    classes = torch.randint(0, 3, (1, 6, 6), dtype=torch.uint8)
    logits = 50.0 * torch.nn.functional.one_hot(classes.long(), 3).permute(0, 3, 1, 2)

    assert soft_dice(logits, classes).item() == pytest.approx(0, abs=1e-6)


def test_half_precision_is_counted_in_full() -> None:
    """Sums over 10,000 pixels would round at 2,048 in half precision."""
    logits = torch.zeros(1, 2, 100, 100, dtype=torch.bfloat16)
    classes = torch.zeros(1, 100, 100, dtype=torch.uint8)

    assert soft_dice(logits, classes).item() == pytest.approx(1 - 2 * 0.5 / 1.5, rel=1e-5)
