"""One number per patch, made comparable."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from saccade.shapes import Grid


def as_grid(relevance: Float[Tensor, "B n"], grid: Grid) -> Float[Tensor, "B ..."]:
    """Flat patch relevance on its grid: ``h w`` of a picture, ``t h w`` of a clip."""
    return relevance.unflatten(1, grid[1:] if grid.t == 1 else grid)


def resample(heat: Float[Tensor, "B h w"], grid: Grid) -> Float[Tensor, "B h2 w2"]:
    """Heat of pictures on another grid, bilinear."""
    if heat.shape[1:] == (grid.h, grid.w):
        return heat
    return F.interpolate(
        heat[:, None], size=(grid.h, grid.w), mode="bilinear", align_corners=False
    )[:, 0]


def stretch(heat: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
    """Each picture's heat from 0 (least) to 1 (most); all zeros where it is flat.

    Of a clip all frames together: a frame in which nothing speaks for the class stays cold.
    """
    cells = tuple(range(1, heat.ndim))
    low = heat.amin(dim=cells, keepdim=True)
    high = heat.amax(dim=cells, keepdim=True)
    span = high - low
    rounding = 1e-5 * torch.maximum(high.abs(), low.abs())
    return torch.where(span > rounding, (heat - low) / span.clamp(min=1e-30), 0.0)
