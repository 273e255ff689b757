"""Cross-entropy with soft labels."""

import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor


def cross_entropy(
    logits: Float[Tensor, "B K"], labels: Int64[Tensor, " B"], *, label_smoothing: float
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats, in fp32 whatever the logits' precision.

    Args:
        logits: before the softmax.
        labels: class ids, 0 to K - 1.
        label_smoothing: the share of each label spread evenly over all classes
            (arXiv 1512.00567), 0 to 1.
    """
    return F.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)
