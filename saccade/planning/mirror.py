"""May a picture be mirrored without changing what it shows? Asked of the data, not of the user.

Mirroring is the most useful augmentation for photographs and ruins characters: a mirrored 2 is not
a 2. The test needs no training: each picture, and its mirror image, looks for its nearest
neighbour among the others. Where mirror images find their own class much less often, they show
another thing.
"""

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

SAFE_RATIO = 0.5
"""Mirrored nearest-neighbour accuracy over the plain one, above which mirrors are safe.

Measured by ``python -m benchmarks mirror_test``: characters lie below 0.3, clothes and photographs
above 0.7.
"""

SMALLEST_LEAD = 0.05
"""Nearest-neighbour accuracy above chance that the test needs to say anything."""


def mirror_ratio(images: UInt8[Tensor, "B C H W"], labels: Int64[Tensor, " B"]) -> float | None:
    """How much of the nearest-neighbour accuracy above chance survives mirroring.

    Args:
        images: up to a few thousand small pictures.
        labels: their classes.

    Returns:
        1 when mirrors find their class as often as the pictures do; 0 when they do no better than
        chance. None when the pictures themselves do hardly better: then nothing can be said.
    """
    plain = _unit(images)
    mirrored = _unit(images.flip(-1))
    chance = labels.bincount().square().sum().item() / len(labels) ** 2
    own = _accuracy(plain, plain, labels) - chance
    other = _accuracy(mirrored, plain, labels) - chance
    return None if own <= SMALLEST_LEAD else max(other, 0.0) / own


def _unit(images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B CHW"]:
    flat = images.flatten(1).float()
    flat = flat - flat.mean(dim=1, keepdim=True)
    return torch.nn.functional.normalize(flat, dim=1)


def _accuracy(
    queries: Float[Tensor, "B D"], gallery: Float[Tensor, "B D"], labels: Int64[Tensor, " B"]
) -> float:
    similarity = queries @ gallery.T
    similarity.fill_diagonal_(-torch.inf)  # neither a picture nor its mirror finds itself
    return (labels[similarity.argmax(dim=1)] == labels).float().mean().item()
