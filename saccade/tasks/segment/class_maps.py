"""From objects to a class for each pixel."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from saccade.data.annotations import IGNORED_CLASS
from saccade.data.targets import PADDING, SegmentTargets


def class_maps(targets: SegmentTargets, *, has_background: bool) -> UInt8[Tensor, "B H W"]:
    """The class of each pixel's segment.

    Args:
        targets: segments.
        has_background: whether pixels of no segment are class 0, and all others one more; else
            nothing is known about them.
    """
    unknown = targets.labels.new_full((len(targets.labels), 1), IGNORED_CLASS)
    none = torch.zeros_like(unknown) if has_background else unknown
    labels = targets.labels + int(has_background)
    labels = labels.where(targets.labels != PADDING, IGNORED_CLASS)
    table = torch.cat([unknown, none, labels], dim=1)  # B M+2: ignored, none, the segments
    classes = table.gather(1, targets.segments.long().flatten(1) + 1)
    return classes.to(torch.uint8).unflatten(1, targets.segments.shape[1:])
