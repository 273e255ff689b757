"""Numbers on a grid over the model's input, at the pixels of the picture that it was made from."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from saccade.data.placement import Placement

NUMBERS_AT_A_TIME = 2**25
"""Of a large picture with many maps: 128 MiB in fp32."""


def in_picture(
    maps: Float[Tensor, "K h w"], placement: Placement, *, cell_size: int
) -> Float[Tensor, "K H W"]:
    """Bilinearly, at the centre of each pixel of the picture; the border goes on outside.

    Args:
        maps: on cells that begin at the input's top left corner and may reach beyond its end.
        placement: where the picture lies in the input.
        cell_size: pixels of the input a side.
    """
    if _is_pixel_for_pixel(placement) and cell_size == 1:
        return maps[:, : placement.height, : placement.width].float()
    height, width = maps.shape[1] * cell_size, maps.shape[2] * cell_size
    y = _places(placement.height, placement.scale_y, placement.top, height, maps.device)
    x = _places(placement.width, placement.scale_x, placement.left, width, maps.device)
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=2)[None]  # 1 H W 2
    return F.grid_sample(maps.float()[None], grid, padding_mode="border", align_corners=False)[0]


def likeliest_in_picture(
    probs: Float[Tensor, "K h w"], placement: Placement
) -> tuple[Tensor, Tensor]:
    """The class of the highest probability at each pixel of the picture, and that probability.

    Some classes at a time, so that a large picture with many classes takes no more memory.

    Returns:
        Class ids (int64, H W) and probabilities (fp32, H W).
    """
    size = max(1, NUMBERS_AT_A_TIME // (placement.height * placement.width))
    best = torch.full((placement.height, placement.width), -1.0, device=probs.device)
    classes = torch.zeros_like(best, dtype=torch.int64)
    for start in range(0, len(probs), size):
        highest, which = in_picture(probs[start : start + size], placement, cell_size=1).max(dim=0)
        is_better = highest > best
        best = torch.where(is_better, highest, best)
        classes = torch.where(is_better, which + start, classes)
    return classes, best


def is_seen(placement: Placement, device: torch.device) -> Bool[Tensor, "H W"]:
    """Which pixels of the picture the model was given; a crop leaves some out."""
    y = _places(placement.height, placement.scale_y, placement.top, placement.input_height, device)
    x = _places(placement.width, placement.scale_x, placement.left, placement.input_width, device)
    return (y.abs() <= 1)[:, None] & (x.abs() <= 1)[None]


def _is_pixel_for_pixel(placement: Placement) -> bool:
    return (placement.scale_y, placement.scale_x, placement.top, placement.left) == (1, 1, 0, 0)


def _places(
    count: int, scale: float, shift: float, extent: int, device: torch.device
) -> Float[Tensor, " count"]:
    """Where the centres of a row of pixels lie in an extent that reaches from -1 to 1."""
    centres = torch.arange(count, device=device, dtype=torch.float64) + 0.5
    return ((centres * scale + shift) * 2 / extent - 1).float()
