"""How good vectors are that were learned without labels: do they differ, and in what."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

NUM_NEIGHBOURS = 20
"""Of a k-nearest-neighbour vote."""

TEMPERATURE = 0.07
"""By which a vote falls off with the cosine (arXiv 1805.01978)."""

_CHUNK = 1024  # queries compared with the gallery at once


def effective_rank(
    vectors: Float[Tensor, "n D"], *, counts: Float[Tensor, " n"] | None = None
) -> float:
    """In how many directions vectors differ: from 1 to D.

    The exponential of the entropy of the singular values, each as a share of their sum (Roy and
    Vetterli, EUSIPCO 2007; RankMe, arXiv 2210.02885), of the vectors at unit length. Their mean is
    not taken away: where all vectors are nearly the same, what is left has a rank too, and it is
    that of noise.

    Args:
        vectors: of any length.
        counts: how often each counts, in a resample; None: once.
    """
    unit = F.normalize(vectors.double(), dim=1)
    weighted = unit if counts is None else unit * counts.double()[:, None]
    # Singular values from the small matrix of products: much faster, and rounding in float64 is
    # far below what counts here.
    values = torch.linalg.eigvalsh(weighted.T @ unit).clamp(min=0).sqrt()
    shares = values / values.sum()
    return torch.special.entr(shares).sum().exp().item()


def mean_std(vectors: Float[Tensor, "n D"], *, counts: Float[Tensor, " n"] | None = None) -> float:
    """How far vectors at unit length spread: 1 evenly in all directions, 0 all the same.

    The mean over channels of their standard deviations, times the square root of D.

    Args:
        vectors: of any length.
        counts: how often each counts, in a resample; None: once.
    """
    unit = F.normalize(vectors.double(), dim=1)
    shares = unit.new_ones(len(unit)) if counts is None else counts.double()
    shares = shares / shares.sum()
    variance = shares @ (unit - shares @ unit).square()
    return variance.sqrt().mean().item() * vectors.shape[1] ** 0.5


def neighbour_votes(
    queries: Float[Tensor, "q D"],
    gallery: Float[Tensor, "n D"],
    labels: Int64[Tensor, " n"],
    *,
    num_classes: int,
    k: int = NUM_NEIGHBOURS,
) -> Float[Tensor, "q K"]:
    """What the nearest of a gallery say about each query: votes for each class.

    A neighbour votes for its class with ``exp(cosine / TEMPERATURE)``.

    Args:
        queries, gallery: vectors of any length; compared by their cosine.
        labels: of the gallery.
        num_classes: K.
        k: how many neighbours vote; all where the gallery has fewer.
    """
    gallery = F.normalize(gallery, dim=1)
    found = []
    for some in F.normalize(queries, dim=1).split(_CHUNK):
        cosines, places = (some @ gallery.T).topk(min(k, len(gallery)), dim=1)
        found.append(_votes(cosines, labels[places], num_classes))
    return torch.cat(found)


def votes_of_the_others(
    vectors: Float[Tensor, "n D"],
    labels: Int64[Tensor, " n"],
    *,
    num_classes: int,
    k: int = NUM_NEIGHBOURS,
) -> Float[Tensor, "n K"]:
    """The same within one set: each picture is judged by all others."""
    unit = F.normalize(vectors, dim=1)
    found = []
    for start in range(0, len(unit), _CHUNK):
        cosines = unit[start : start + _CHUNK] @ unit.T
        rows = torch.arange(len(cosines), device=unit.device)
        cosines[rows, start + rows] = -torch.inf
        near, places = cosines.topk(min(k, len(unit) - 1), dim=1)
        found.append(_votes(near, labels[places], num_classes))
    return torch.cat(found)


def view_recall(first: Float[Tensor, "n D"], second: Float[Tensor, "n D"]) -> float:
    """How often the second view of a picture is nearest to its own first view, among all.

    1 / n is chance, and what vectors come to that have all become the same.
    """
    first, second = F.normalize(first, dim=1), F.normalize(second, dim=1)
    right = 0
    for start in range(0, len(second), _CHUNK):
        cosines = second[start : start + _CHUNK] @ first.T
        own = cosines.diagonal(offset=start)
        # Ties are lost: of vectors that are all the same none is nearest.
        others = (cosines >= own[:, None]).sum(dim=1) - 1
        right += int((others == 0).sum())
    return right / len(second)


def _votes(
    cosines: Float[Tensor, "q k"], labels: Int64[Tensor, "q k"], num_classes: int
) -> Float[Tensor, "q K"]:
    votes = cosines.new_zeros(len(cosines), num_classes)
    return votes.scatter_add_(1, labels, (cosines / TEMPERATURE).exp())
