"""Cross-entropy with soft labels."""

import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.data.targets import BlendedLabels


def cross_entropy(
    logits: Float[Tensor, "B K"],
    labels: Int64[Tensor, " B"] | BlendedLabels,
    *,
    label_smoothing: float,
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats, in fp32 whatever the logits' precision.

    Args:
        logits: before the softmax.
        labels: class ids, 0 to K - 1; or those of two pictures in one, each of which counts as
            much as it has of the picture.
        label_smoothing: the share of each label spread evenly over all classes
            (arXiv 1512.00567), 0 to 1.
    """
    logits = logits.float()
    if not isinstance(labels, BlendedLabels):
        return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)
    own, other = (
        F.cross_entropy(logits, each, label_smoothing=label_smoothing, reduction="none")
        for each in (labels.labels, labels.others)
    )
    return other.lerp(own, labels.share).mean()
