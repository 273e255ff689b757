"""Where a token stands, as a vector added to it."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.shapes import Grid


def sincos(grid: Grid, embed_dim: int, *, device: torch.device) -> Float[Tensor, "n D"]:
    """Fixed positions of a picture's grid: sines and cosines of row and column.

    A quarter of the width each for sin(row), cos(row), sin(column), cos(column), with frequencies
    from 1 down to 1/10000 (arXiv 1706.03762, in 2-D as in arXiv 2205.01580). In fp32, [-1, 1].

    Raises:
        ValueError: the width is not a multiple of 4.
    """
    if embed_dim % 4:
        raise ValueError(f"embed_dim is {embed_dim}; sin-cos positions need a multiple of 4")
    octave = torch.arange(embed_dim // 4, device=device, dtype=torch.float32) / (embed_dim // 4)
    frequencies = 10_000**-octave  # D/4
    rows = torch.arange(grid.h, device=device, dtype=torch.float32)[:, None] * frequencies
    columns = torch.arange(grid.w, device=device, dtype=torch.float32)[:, None] * frequencies
    row = torch.cat([rows.sin(), rows.cos()], dim=1)  # h D/2
    column = torch.cat([columns.sin(), columns.cos()], dim=1)  # w D/2
    both = torch.cat(
        [row[:, None].expand(-1, grid.w, -1), column[None].expand(grid.h, -1, -1)], dim=2
    )  # h w D
    return both.flatten(0, 1)


class SinCosPosition(nn.Module):
    """Adds fixed sin-cos positions; any grid, no parameters."""

    def __init__(self, embed_dim: int) -> None:
        super().__init__()
        if embed_dim % 4:
            raise ValueError(f"embed_dim is {embed_dim}; sin-cos positions need a multiple of 4")
        self.embed_dim = embed_dim

    def forward(self, patches: Float[Tensor, "B n D"], grid: Grid) -> Float[Tensor, "B n D"]:
        """Adds the position of each patch."""
        return patches + sincos(grid, self.embed_dim, device=patches.device).to(patches.dtype)


class LearnedPosition(nn.Module):
    """Adds learned positions, resampled (bicubic, antialiased) when the grid is another one.

    Args:
        embed_dim: the width of a token.
        grid: the grid that the parameters belong to.
    """

    def __init__(self, embed_dim: int, *, grid: Grid) -> None:
        super().__init__()
        self.grid = grid
        self.table = nn.Parameter(torch.empty(1, embed_dim, grid.h, grid.w))
        nn.init.trunc_normal_(self.table, std=0.02)

    def forward(self, patches: Float[Tensor, "B n D"], grid: Grid) -> Float[Tensor, "B n D"]:
        """Adds the position of each patch."""
        table = self.table
        if grid != self.grid:
            table = F.interpolate(
                table, size=(grid.h, grid.w), mode="bicubic", align_corners=False, antialias=True
            )
        return patches + table.flatten(2).transpose(1, 2).to(patches.dtype)


PositionModule = SinCosPosition | LearnedPosition
