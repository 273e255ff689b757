"""Cross-entropy of pixels, some of which are ignored, and the overlap of classes."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from saccade.data.annotations import IGNORED_CLASS


def pixel_cross_entropy(
    logits: Float[Tensor, "B K H W"], classes: UInt8[Tensor, "B H W"], *, label_smoothing: float
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats over the pixels whose class is known, in fp32; 0 without any.

    Args:
        logits: before the softmax.
        classes: class ids, or ``IGNORED_CLASS``.
        label_smoothing: the share of each label spread evenly over all classes.
    """
    is_known = classes != IGNORED_CLASS
    total = F.cross_entropy(
        logits.float(),
        classes.long(),
        ignore_index=IGNORED_CLASS,
        label_smoothing=label_smoothing,
        reduction="sum",
    )
    return total / is_known.sum().clamp(min=1)


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
