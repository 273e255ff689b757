"""Attention among packed pictures: each picture looks at itself only.

On a CPU a loop over the pictures is the fastest way and the plainest. Measured by ``python -m
benchmarks packing``: to gather pictures of equal length into batches takes 1.0 to 1.45 times as
long, torch's jagged tensors 3.4 to 4.8 times. On a GPU, where a loop of small kernels would leave
most of it idle, one kernel takes sequences of any length; that has been written against PyTorch's
documentation and has never been run.
"""

import functools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from saccade.config.model import AttentionPath
from saccade.tokens.packing import PackedTokens
from saccade.transformer.attend import attend, fastest_path
from saccade.transformer.window import attend_in_windows


def attend_packed(
    q: Float[Tensor, "1 A N E"],
    k: Float[Tensor, "1 A N E"],
    v: Float[Tensor, "1 A N E"],
    *,
    tokens: PackedTokens,
    window_size: int,
    path: AttentionPath,
) -> Float[Tensor, "1 N D"]:
    """What ``attend`` gives for each picture alone, one after the other, heads side by side.

    Args:
        q, k, v: queries (times the scale of the scores), keys and values of all pictures.
        tokens: where each picture begins, and its grid.
        window_size: cells a side that a patch looks at; 0: all of its picture.
        path: fused, explicit, or auto.
    """
    sides = [max(grid.h, grid.w) for grid in tokens.grids]
    if q.is_cuda and path != "explicit" and not 0 < window_size < max(sides):
        together = attend_varlen if _varlen_takes(v) else attend_jagged
        return together(q, k, v, tokens=tokens)
    pictures = zip(*(x.split(tokens.lengths, dim=2) for x in (q, k, v)), strict=True)
    contexts = []
    for (q, k, v), grid, side in zip(pictures, tokens.grids, sides, strict=True):
        if 0 < window_size < side:
            context = attend_in_windows(
                q,
                k,
                v,
                grid=grid,
                num_prefix=tokens.num_prefix,
                window_size=window_size,
                path=path,
            )
        else:
            chosen = fastest_path(path, device=q.device, dtype=v.dtype, num_tokens=q.shape[2])
            context = attend(q, k, v, path=chosen)
        contexts.append(context.transpose(1, 2))  # 1 n A E
    return torch.cat(contexts, dim=1).flatten(2)


def attend_varlen(
    q: Float[Tensor, "1 A N E"],
    k: Float[Tensor, "1 A N E"],
    v: Float[Tensor, "1 A N E"],
    *,
    tokens: PackedTokens,
) -> Float[Tensor, "1 N D"]:
    """One kernel for sequences of any length; CUDA, 16 bits, torch from 2.10 on."""
    kernel = varlen_kernel()
    assert kernel is not None
    longest = max(tokens.lengths)
    # It divides the scores by sqrt(E), and torch 2.10 cannot be told otherwise.
    q = q * math.sqrt(q.shape[3])
    q, k, v = (x[0].transpose(0, 1) for x in (q, k, v))  # N A E
    return kernel(q, k, v, tokens.bounds, tokens.bounds, longest, longest).flatten(1)[None]


def attend_jagged(
    q: Float[Tensor, "1 A N E"],
    k: Float[Tensor, "1 A N E"],
    v: Float[Tensor, "1 A N E"],
    *,
    tokens: PackedTokens,
) -> Float[Tensor, "1 N D"]:
    """The same through torch's jagged tensors: any precision, torch from 2.6 on."""
    lengths = tokens.lengths
    q, k, v = (
        torch.nested.nested_tensor_from_jagged(
            x[0].transpose(0, 1).contiguous(),  # N A E
            tokens.bounds.long(),
            min_seqlen=min(lengths),
            max_seqlen=max(lengths),
        ).transpose(1, 2)  # pictures A n E
        for x in (q, k, v)
    )
    context = F.scaled_dot_product_attention(q, k, v, scale=1.0)
    return context.transpose(1, 2).values().flatten(1)[None]


@functools.cache
def varlen_kernel() -> Callable[..., Tensor] | None:
    """PyTorch's attention over sequences of any length; None before torch 2.10.

    Imported when a GPU first needs it: it loads 800 modules, which takes a second.
    """
    try:
        from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415 - see above
    except ImportError:
        return None
    return varlen_attn  # pyrefly: ignore[bad-return]


def _varlen_takes(x: Tensor) -> bool:
    """What its kernel, FlashAttention 2, was written for."""
    return (
        x.dtype in (torch.float16, torch.bfloat16)
        and x.shape[3] <= 256
        and x.shape[3] % 8 == 0
        and torch.cuda.get_device_capability(x.device) >= (8, 0)
        and varlen_kernel() is not None
    )
