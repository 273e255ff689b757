"""Losses that bring vectors of one class together and keep all others apart."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

_SMALLEST_DISTANCE = 1e-4  # two equal pictures in a batch would cost without limit


def proxy_loss(
    cosines: Float[Tensor, "B K"], labels: Int64[Tensor, " B"], *, temperature: float
) -> Float[Tensor, ""]:
    """Cross-entropy over the cosines between pictures and one learned vector per class.

    Known as normalised softmax (arXiv 1811.12649). Every picture of every batch learns from all
    classes, however few pictures a class has and whoever else is in the batch.

    Args:
        cosines: between each vector and each class's, in fp32 or less.
        labels: class ids.
        temperature: divides the cosines; near 0.05, since they reach no further than from -1 to 1.
    """
    return F.cross_entropy(cosines.float() / temperature, labels)


def contrastive_loss(
    vectors: Float[Tensor, "B D"], labels: Int64[Tensor, " B"], *, temperature: float
) -> Float[Tensor, ""]:
    """Supervised contrastive loss (arXiv 2004.11362, L_out) within a batch.

    The plain version::

        for i in anchors that share their class with another picture:
            others = [j for j in range(B) if j != i]
            total = log(sum(exp(v[i] . v[j] / temperature) for j in others))
            loss[i] = mean(total - v[i] . v[p] / temperature for p in others of the class of i)

    Args:
        vectors: of unit length.
        labels: class ids; a class that is there once only pushes away. With no pair at all the
            loss is 0.
        temperature: divides the cosines.
    """
    similarity = vectors.float() @ vectors.float().T / temperature
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    log_prob = similarity.masked_fill(itself, -torch.inf).log_softmax(dim=1)
    is_pair = (labels[:, None] == labels[None]) & ~itself
    num_pairs = is_pair.sum(dim=1)
    of_each = -torch.where(is_pair, log_prob, 0).sum(dim=1) / num_pairs.clamp(min=1)
    return of_each.sum() / (num_pairs > 0).sum().clamp(min=1)


def koleo_loss(vectors: Float[Tensor, "B D"]) -> Float[Tensor, ""]:
    """Spreads vectors over the sphere: minus the mean log distance to the nearest neighbour.

    An estimate of the entropy of the vectors (Kozachenko and Leonenko; arXiv 1806.03198), which
    keeps pictures of one class from falling into one point.

    Args:
        vectors: of unit length, at least two.
    """
    similarity = vectors.float() @ vectors.float().T
    nearest = similarity.detach().fill_diagonal_(-torch.inf).argmax(dim=1)
    distance = (vectors.float() - vectors.float()[nearest]).norm(dim=1)
    return -(distance + _SMALLEST_DISTANCE).log().mean()
