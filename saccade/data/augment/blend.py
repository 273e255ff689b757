"""Two pictures in one: the whole of both (mixup), or a rectangle of one in the other (cutmix).

With whom a picture is blended follows from its place in the batch: the first with the second, the
third with the fourth. So an even share of a batch can be computed by itself, by one of several
processes, and nothing changes.
"""

import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from saccade.config.run import AugmentConfig
from saccade.data.targets import BlendedLabels


def blend(
    planes: Float32[Tensor, "B P H W"],
    labels: Int64[Tensor, " B"],
    draws: Float64[Tensor, "B 4"],
    config: AugmentConfig,
) -> tuple[Float32[Tensor, "B P H W"], BlendedLabels]:
    """Blends some pictures with their neighbours, and their labels in the same shares.

    Mixup: arXiv 1710.09412; cutmix: arXiv 1905.04899; both with shares that are drawn evenly
    (Beta(1, 1)). A rectangle has the aspect of the picture and lies within it.

    Args:
        planes: 0 to 255; the channels of a picture, or those of all frames of a clip.
        labels: class ids.
        draws: of each picture in [0, 1): which way, the share that stays, and where (x, y).
        config: how often either is done; a picture is never blended both ways.

    Returns:
        The blended planes, and whose they are. A last picture without a neighbour stays alone.
    """
    count, _, height, width = planes.shape
    way, share, at_x, at_y = draws.unbind(dim=1)
    order = torch.arange(count, device=planes.device)
    neighbour = torch.where((order ^ 1) < count, order ^ 1, order)

    is_mixed = way < config.mixup
    is_cut = ~is_mixed & (way < config.mixup + config.cutmix)
    side = (1 - share).sqrt()
    length_y, length_x = ((side * size).round() for size in (height, width))
    covered = interval(length_y, at_y, size=height)[:, :, None]
    covered = covered & interval(length_x, at_x, size=width)[:, None, :]
    own = torch.where(is_mixed, share, 1.0)
    own = torch.where(is_cut, 1 - length_x * length_y / (height * width), own).float()
    weight = torch.where(is_mixed, share, 1.0).float()[:, None, None, None]
    weight = torch.where((covered & is_cut[:, None, None])[:, None], 0.0, weight)  # B 1 H W
    targets = BlendedLabels(labels=labels, others=labels[neighbour], share=own)
    return torch.lerp(planes[neighbour], planes, weight), targets


def interval(length: Float64[Tensor, " B"], place: Float64[Tensor, " B"], *, size: int) -> Tensor:
    """For each picture, which of ``size`` pixels in a row lie in its interval (bool, B size).

    Args:
        length: whole pixels, 0 to ``size``.
        place: in [0, 1), from the first place where it fits to the last.
        size: pixels.
    """
    start = (place * (size - length + 1)).floor()
    pixels = torch.arange(size, device=length.device)
    return (pixels >= start[:, None]) & (pixels < (start + length)[:, None])
