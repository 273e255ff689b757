"""Distances between boxes, as a loss and as a cost of matching."""

import torch
from jaxtyping import Float
from torch import Tensor

_TINY = 1e-7  # areas are shares of a picture; a box without area overlaps nothing


def to_xyxy(boxes_cxcywh: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Centre and size as left, top, right, bottom."""
    centre, half = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def to_cxcywh(boxes_xyxy: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """The inverse of ``to_xyxy``."""
    low, high = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def generalised_iou(a: Float[Tensor, "*#n 4"], b: Float[Tensor, "*#n 4"]) -> Float[Tensor, "*n"]:
    """Overlap over union, less the share of the box round both that neither fills (1902.09630).

    Unlike the overlap alone it says how far apart two boxes are that do not touch.

    Args:
        a, b: boxes as left, top, right, bottom; they are broadcast.

    Returns:
        From -1 (far apart) to 1 (equal).
    """
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    both = (high - low).clamp(min=0).prod(dim=-1)
    union = _area(a) + _area(b) - both
    low, high = torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])
    hull = (high - low).clamp(min=0).prod(dim=-1)
    return both / union.clamp(min=_TINY) - (hull - union) / hull.clamp(min=_TINY)


def _area(boxes_xyxy: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n"]:
    return (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]).clamp(min=0).prod(dim=-1)
