"""Where a token stands, as a vector added to it."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens


def sincos(
    grid: Grid, embed_dim: int, *, num_axes: int, device: torch.device
) -> Float[Tensor, "n D"]:
    """Fixed positions on a grid: sines and cosines of each coordinate.

    The width is shared evenly by the axes, half for the sines and half for the cosines, with
    frequencies from 1 down to 1/10000 (arXiv 1706.03762; in 2-D as in arXiv 2205.01580). Channels
    left over by the division stay zero. In fp32, [-1, 1].

    Args:
        grid: of the tokens.
        embed_dim: the width D.
        num_axes: 2 for row and column, 3 for time, row and column.
        device: where to make them.

    Raises:
        ValueError: the width has no room for one sine and one cosine per axis.
    """
    num_frequencies = embed_dim // (2 * num_axes)
    if num_frequencies == 0:
        raise ValueError(
            f"embed_dim is {embed_dim}; sin-cos positions of {num_axes} axes need at least "
            f"{2 * num_axes}"
        )
    octave = torch.arange(num_frequencies, device=device, dtype=torch.float32) / num_frequencies
    frequencies = 10_000**-octave
    parts = []
    for axis, length in enumerate(grid[3 - num_axes :], start=3 - num_axes):
        angles = torch.arange(length, device=device, dtype=torch.float32)[:, None] * frequencies
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)
        shape = [1, 1, 1, waves.shape[1]]
        shape[axis] = length
        parts.append(waves.reshape(shape).expand(*grid, -1))
    left_over = torch.zeros(*grid, embed_dim - 2 * num_axes * num_frequencies, device=device)
    return torch.cat([*parts, left_over], dim=3).flatten(0, 2)


class SinCosPosition(nn.Module):
    """Adds fixed sin-cos positions; any grid, no parameters.

    Args:
        embed_dim: the width of a token.
        num_axes: 2 for pictures, 3 for clips.

    Raises:
        ValueError: the width has no room for the axes.
    """

    def __init__(self, embed_dim: int, *, num_axes: int = 2) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.num_axes = num_axes
        sincos(Grid(1, 1, 1), embed_dim, num_axes=num_axes, device=torch.device("cpu"))

    def forward(self, tokens: Tokens) -> Tokens:
        """Adds the position of each patch; prefix tokens stand nowhere."""
        table = sincos(tokens.grid, self.embed_dim, num_axes=self.num_axes, device=tokens.x.device)
        return _add(tokens, table[None])


class LearnedPosition(nn.Module):
    """Adds learned positions, resampled when the grid is another one.

    Args:
        embed_dim: the width of a token.
        grid: the grid that the parameters belong to.
        num_prefix_positions: how many of the prefix tokens have a position too. That adds nothing
            to a learned token, but published weights have it.
        antialias: how they are resampled, see ``resample``.

    Raises:
        ValueError: the grid has no cells.
    """

    def __init__(
        self, embed_dim: int, *, grid: Grid, num_prefix_positions: int = 0, antialias: bool = True
    ) -> None:
        super().__init__()
        if min(grid) < 1:
            raise ValueError(
                f"the grid of the learned positions is {tuple(grid)}; it needs at least one cell "
                "in time, height and width"
            )
        self.grid = grid
        self.antialias = antialias
        self.table = nn.Parameter(torch.empty(1, grid.num_tokens, embed_dim))
        nn.init.trunc_normal_(self.table, std=0.02)
        self.prefix = (
            nn.Parameter(torch.zeros(1, num_prefix_positions, embed_dim))
            if num_prefix_positions
            else None
        )

    def forward(self, tokens: Tokens) -> Tokens:
        """Adds the position of each patch, and of the prefix tokens that have one."""
        table = resample(self.table, self.grid, tokens.grid, antialias=self.antialias)
        tokens = _add(tokens, table)
        if self.prefix is None:
            return tokens
        with_position = tokens.x[:, : self.prefix.shape[1]] + self.prefix.to(tokens.x.dtype)
        rest = tokens.x[:, self.prefix.shape[1] :]
        return tokens.with_x(torch.cat([with_position, rest], dim=1))


def resample(
    table: Float[Tensor, "1 n D"], old: Grid, new: Grid, *, antialias: bool = True
) -> Float[Tensor, "1 n2 D"]:
    """Positions of one grid on another: bicubic in space, linear in time.

    Args:
        table: the positions.
        old, new: the grids.
        antialias: torch has two bicubic kernels, a = -0.5 with antialiasing and a = -0.75 without.
            They differ for every size but the old one, by some 8 % of the largest entry when a
            random 6 x 6 table grows to 9 x 11, so weights need the one they were evaluated with.
    """
    if old == new:
        return table
    table = table.float()
    if old[1:] != new[1:]:
        frames = table.reshape(old.t, old.h, old.w, -1).permute(0, 3, 1, 2)  # t D h w
        frames = F.interpolate(
            frames, size=new[1:], mode="bicubic", align_corners=False, antialias=antialias
        )
        table = frames.permute(0, 2, 3, 1).flatten(0, 2)[None]
    if old.t != new.t:
        moments = table.reshape(old.t, -1).T[None]  # 1 h*w*D t
        moments = F.interpolate(moments, size=new.t, mode="linear", align_corners=False)
        table = moments[0].T.reshape(1, new.num_tokens, -1)
    return table


def _add(tokens: Tokens, table: Float[Tensor, "1 n D"]) -> Tokens:
    table = table.to(tokens.x.dtype)
    if tokens.num_prefix == 0:
        return tokens.with_x(tokens.x + table)
    return tokens.with_x(torch.cat([tokens.prefix, tokens.patches + table], dim=1))
