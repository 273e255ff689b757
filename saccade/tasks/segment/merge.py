"""From overlapping masks, one for each query, to segments that share no pixel."""

from collections.abc import Collection
from typing import NamedTuple

import torch
from jaxtyping import Float, Int32, Int64
from torch import Tensor

SMALLEST_LEFT = 0.5
"""Of a mask's own area; a segment that others cover by more than the rest is a double."""


class Merged(NamedTuple):
    """Segments of one picture, the surest first.

    Attributes:
        segments: 0 where there is none, k for segment k.
        labels: the class id of segment k at k - 1.
        scores: how sure each is, in [0, 1].
    """

    segments: Int32[Tensor, "H W"]
    labels: Int64[Tensor, " m"]
    scores: Float[Tensor, " m"]


def merge_masks(
    probs: Float[Tensor, "Q H W"],
    labels: Int64[Tensor, " Q"],
    scores: Float[Tensor, " Q"],
    *,
    smallest_score: float,
    stuff: Collection[int] = (),
) -> Merged:
    """Gives each pixel to the mask that wants it most (arXiv 2107.06278, section 3.4).

    A mask wants a pixel by its probability there times its score. Only masks of a high enough score
    take part, a pixel below one half belongs to nobody, and a segment of which less than half of
    its own mask is left is dropped.

    Args:
        probs: of each mask at each pixel, in [0, 1].
        labels, scores: of each mask, from the highest score down.
        smallest_score: of a mask that takes part.
        stuff: class ids whose masks become one segment.
    """
    is_sure = scores >= smallest_score
    probs, labels, scores = probs[is_sure], labels[is_sure], scores[is_sure]
    segments = torch.zeros(probs.shape[1:], dtype=torch.int32, device=probs.device)
    if not len(probs):
        return Merged(segments, labels, scores)
    owner = (probs * scores[:, None, None]).argmax(dim=0)  # H W
    is_inside = probs >= 0.5
    places = torch.arange(len(probs), device=probs.device)
    own = is_inside & (owner == places[:, None, None])  # m H W
    left, area = own.sum(dim=(1, 2)), is_inside.sum(dim=(1, 2))
    kept: list[int] = []
    number_of: dict[int, int] = {}  # of the segment that a class of stuff has already
    for q in torch.nonzero((left > 0) & (left >= SMALLEST_LEFT * area))[:, 0].tolist():
        label = int(labels[q])
        if label not in number_of:
            kept.append(q)
        number = number_of.get(label, len(kept))
        if label in stuff:
            number_of[label] = number
        segments[own[q]] = number
    return Merged(segments, labels[kept], scores[kept])
