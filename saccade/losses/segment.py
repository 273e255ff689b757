"""Cross-entropy of pixels, some of which are ignored, and the overlap of classes."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saccade.data.annotations import IGNORED_CLASS


def pixel_cross_entropy(
    logits: Float[Tensor, "B K H W"],
    classes: UInt8[Tensor, "B H W"],
    *,
    balance: float,
    label_smoothing: float,
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats over the pixels whose class is known, in fp32; 0 without any.

    A pixel weighs ``share ** -balance``, with the share of its class in the batch. Where nearly all
    pixels are background, a plain mean learns that first and the rest late.

    Args:
        logits: before the softmax.
        classes: class ids, or ``IGNORED_CLASS``.
        balance: 0: every pixel counts the same; 1: every class does.
        label_smoothing: the share of each label spread evenly over all classes.
    """
    num_classes = logits.shape[1]
    is_known = classes != IGNORED_CLASS
    truth = classes.long().where(is_known, num_classes)
    counts = torch.bincount(truth.flatten(), minlength=num_classes + 1)[:num_classes].float()
    shares = counts / counts.sum().clamp(min=1)
    weights = torch.where(counts > 0, shares.clamp(min=1e-9) ** -balance, 0.0)  # K
    log_probs = logits.float().log_softmax(dim=1)  # B K H W
    at_truth = log_probs.gather(1, truth.clamp(max=num_classes - 1)[:, None])[:, 0]
    if label_smoothing:
        spread = log_probs.mean(dim=1)
        at_truth = (1 - label_smoothing) * at_truth + label_smoothing * spread
    of_pixels = weights[truth.clamp(max=num_classes - 1)] * is_known  # B H W
    return -(of_pixels * at_truth).sum() / of_pixels.sum().clamp(min=1e-9)


def soft_dice(
    logits: Float[Tensor, "B K H W"], classes: UInt8[Tensor, "B H W"]
) -> Float[Tensor, ""]:
    """One minus the mean overlap of the classes that the batch holds, 0 to 1 (arXiv 1606.04797).

    For a class with probabilities p and truth y over all known pixels of the batch it is
    ``2 sum(p y) / (sum(p) + sum(y))``: a thin class counts as much as the background, which
    cross-entropy over pixels would let win.

    Args:
        logits: before the softmax.
        classes: class ids, or ``IGNORED_CLASS``.
    """
    num_classes = logits.shape[1]
    is_known = (classes != IGNORED_CLASS)[:, None]  # B 1 H W
    probs = logits.float().softmax(dim=1) * is_known  # B K H W
    truth = classes.long().where(is_known[:, 0], num_classes)  # an extra class for the ignored
    # sum(p y) by class: the probability of the true class, added up where that class is.
    at_truth = probs.gather(1, truth.clamp(max=num_classes - 1)[:, None])[:, 0]
    both = probs.new_zeros(num_classes + 1).index_add(0, truth.flatten(), at_truth.flatten())
    said = probs.sum(dim=(0, 2, 3))  # K
    true = torch.bincount(truth.flatten(), minlength=num_classes + 1)[:num_classes]  # K
    overlap = 2 * both[:num_classes] / (said + true).clamp(min=1e-6)
    is_there = true > 0
    return ((1 - overlap) * is_there).sum() / is_there.sum().clamp(min=1)
