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
    classes, however few pictures a class has and whoever else is in the batch. The alternative, the
    contrastive loss within a batch (arXiv 2004.11362), needs a partner of the same class beside
    each picture; with 96 characters of Omniglot in batches of 64 it came out behind on characters
    that neither had seen (docs/retrieval.md).

    Args:
        cosines: between each vector and each class's, in fp32 or less.
        labels: class ids.
        temperature: divides the cosines, which reach no further than from -1 to 1; 0.05 to 0.1.
    """
    return F.cross_entropy(cosines.float() / temperature, labels)


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
