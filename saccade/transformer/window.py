"""Attention within windows: linear in the size of the picture, where the whole is quadratic.

The picture is cut into windows of w x w cells; a patch looks at its window and at the prefix
tokens, a prefix token at everything. With a few blocks that see everything, evenly spread, a plain
transformer serves large pictures nearly as well as full attention (ViTDet, arXiv 2203.16527).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from saccade.config.model import AttentionPath
from saccade.shapes import Grid
from saccade.transformer.attend import attend, fastest_path


def attend_in_windows(
    q: Float[Tensor, "B A N E"],
    k: Float[Tensor, "B A N E"],
    v: Float[Tensor, "B A N E"],
    *,
    grid: Grid,
    num_prefix: int,
    window_size: int,
    path: AttentionPath,
) -> Float[Tensor, "B A N E"]:
    """Equal to ``attend`` with ``window_mask``, without ever looking outside the windows.

    Args:
        q, k, v: queries (scaled), keys and values; prefix tokens first.
        grid: of the patches.
        num_prefix: tokens before the patches.
        window_size: cells a side; windows at the right and bottom edge may be smaller.
        path: fused, explicit, or auto.
    """
    batch, heads = q.shape[:2]
    windows = [_cut(x[:, :, num_prefix:], grid, window_size) for x in (q, k, v)]  # W A w*w E
    per_picture = windows[0].shape[0] // batch
    inside = _cut(
        torch.ones(1, 1, grid.num_tokens, 1, dtype=torch.bool, device=q.device), grid, window_size
    )  # W/B 1 w*w 1
    seen_k, seen_v = windows[1:]
    if num_prefix:
        seen_k, seen_v = (
            torch.cat([x[:, :, :num_prefix].repeat_interleave(per_picture, dim=0), window], dim=2)
            for x, window in zip((k, v), windows[1:], strict=True)
        )
    mask = None
    if grid.h % window_size or grid.w % window_size:  # padded cells must not be looked at
        mask = F.pad(inside.transpose(2, 3), (num_prefix, 0), value=True).repeat(batch, 1, 1, 1)
    length = seen_k.shape[2]
    chosen = fastest_path(path, device=q.device, dtype=v.dtype, num_tokens=length)
    patches = attend(windows[0], seen_k, seen_v, path=chosen, mask=mask)
    patches = _join(patches, grid, window_size, batch)  # B A n E
    if num_prefix == 0:
        return patches
    chosen = fastest_path(path, device=q.device, dtype=v.dtype, num_tokens=k.shape[2])
    prefix = attend(q[:, :, :num_prefix], k, v, path=chosen)
    assert prefix.shape[1] == heads
    return torch.cat([prefix, patches], dim=2)


def window_mask(
    grid: Grid, num_prefix: int, window_size: int, like: Tensor
) -> Bool[Tensor, "1 1 N N"]:
    """Who looks at whom: patches at their window and the prefix, the prefix at everything."""
    t, h, w = (torch.arange(length, device=like.device) for length in grid)
    columns = -(-grid.w // window_size)
    window = (h // window_size)[:, None] * columns + (w // window_size)[None]  # h w
    window = window + t[:, None, None] * (int(window.max()) + 1)  # t h w
    flat = F.pad(window.flatten(), (num_prefix, 0), value=-1)
    is_prefix = flat == -1
    return ((flat[:, None] == flat[None]) | is_prefix[:, None] | is_prefix[None])[None, None]


def _cut(x: Float[Tensor, "B A n E"] | Bool[Tensor, "B A n E"], grid: Grid, size: int) -> Tensor:
    """Windows of one frame each, ``B*t*rows*cols A w*w E``; zeros where the grid ends."""
    x = x.unflatten(2, tuple(grid))  # B A t h w E
    x = F.pad(x, (0, 0, 0, -grid.w % size, 0, -grid.h % size))
    x = x.unflatten(4, (-1, size)).unflatten(3, (-1, size))  # B A t rows w cols w E
    x = x.permute(0, 2, 3, 5, 1, 4, 6, 7)  # B t rows cols A w w E
    return x.flatten(5, 6).flatten(0, 3)


def _join(x: Float[Tensor, "W A ww E"], grid: Grid, size: int, batch: int) -> Tensor:
    """The inverse of ``_cut``: ``B A n E``."""
    rows, columns = -(-grid.h // size), -(-grid.w // size)
    x = x.unflatten(2, (size, size)).unflatten(0, (batch, grid.t, rows, columns))
    x = x.permute(0, 4, 1, 2, 5, 3, 6, 7).flatten(5, 6).flatten(3, 4)  # B A t h w E
    return x[:, :, :, : grid.h, : grid.w].flatten(2, 4)
