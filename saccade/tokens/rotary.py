"""Where a token stands, as a turn of its queries and keys.

Two tokens then look at each other by their distance, not by where they are (RoFormer, arXiv
2104.09864; in 2-D for pictures arXiv 2403.13298). The layout is that of DINOv3 (arXiv 2508.10104).
"""

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.tokens import Tokens


class RotaryPosition(nn.Module):
    """Notes by how much attention has to turn each patch; no parameters, any grid.

    A patch stands at its centre, in [-1, 1] along each axis whatever the size of the grid, so a
    larger picture has finer steps and not more distant ones. Each axis has E/4 frequencies, from
    one turn per half picture down to 1/base of it.

    Args:
        head_dim: the width E of a head; a multiple of 4.
        base: the longest period, in half pictures.

    Raises:
        ValueError: the head is not a multiple of 4 wide.
    """

    def __init__(self, head_dim: int, *, base: float) -> None:
        super().__init__()
        if head_dim % 4:
            raise ValueError(
                f"a head is {head_dim} wide; rotary positions turn pairs along two axes, so it "
                "must be a multiple of 4"
            )
        self.head_dim = head_dim
        self.base = base

    def forward(self, tokens: Tokens) -> Tokens:
        """The same tokens with a ``rotation``."""
        device, grid = tokens.x.device, tokens.grid
        quarter = torch.arange(self.head_dim // 4, device=device, dtype=torch.float32)
        frequencies = 2 * math.pi * self.base ** (-4 * quarter / self.head_dim)  # E/4
        rows, columns = (_centres(length, device)[:, None] * frequencies for length in grid[1:])
        angles = torch.cat(
            [
                rows[:, None].expand(-1, grid.w, -1),
                columns[None].expand(grid.h, -1, -1),
            ],
            dim=2,
        )  # h w E/2
        angles = angles.flatten(0, 1).repeat(grid.t, 2)  # n E
        return replace(tokens, rotation=torch.stack([angles.cos(), angles.sin()]))


def rotate(
    x: Float[Tensor, "B A N E"], rotation: Float[Tensor, "2 n E"]
) -> Float[Tensor, "B A N E"]:
    """Turns queries or keys by their positions; the first N - n tokens are left alone.

    The pairs that turn together are channel i and channel i + E/2.
    """
    num_prefix = x.shape[2] - rotation.shape[1]
    prefix, patches = x[:, :, :num_prefix], x[:, :, num_prefix:]
    cosine, sine = rotation.to(x.dtype)
    first, second = patches.chunk(2, dim=-1)
    turned = patches * cosine + torch.cat([-second, first], dim=-1) * sine
    return torch.cat([prefix, turned], dim=2) if num_prefix else turned


def _centres(length: int, device: torch.device) -> Float[Tensor, " n"]:
    return (torch.arange(length, device=device, dtype=torch.float32) + 0.5) * (2 / length) - 1
