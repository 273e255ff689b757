"""Attention, once, with two equal ways to compute it.

*Fused* is PyTorch's ``scaled_dot_product_attention``: it never forms the N x N map. *Explicit*
forms it. Which one is faster is a matter of device, precision and length, so it is measured, not
assumed: see ``fastest_path``.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from saccade.config.model import AttentionPath

MAP_BYTES = 2**28
"""Scores that the explicit path forms at a time: 256 MiB, more than a usual training batch has."""


def attend(
    q: Float[Tensor, "B A N E"],
    k: Float[Tensor, "B A M E"],
    v: Float[Tensor, "B A M E"],
    *,
    path: Literal["fused", "explicit"],
    mask: Bool[Tensor, "#B #A #N M"] | None = None,
) -> Float[Tensor, "B A N E"]:
    """softmax(q k^T) v, for each head.

    The naive version::

        for b, a, n:
            seen = [m for m in range(M) if mask is None or mask[b, a, n, m]]
            weights = softmax([dot(q[b, a, n], k[b, a, m]) for m in seen])
            out[b, a, n] = sum(weight * v[b, a, m] for weight, m in zip(weights, seen))

    Args:
        q, k, v: queries (times the scale of the scores), keys and values.
        path: how to compute it; both agree to rounding in value and gradient.
        mask: True where a query may look at a key. A query that may look at nothing gets zeros.
    """
    # Autocast would run the softmax in fp32 and copy the N x N map twice. ATen's softmax already
    # accumulates in fp32, so the inputs' own precision is enough and, on a CPU, twice as fast.
    with without_autocast(q.device):
        if path == "fused":
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.0)
        rows = _rows_at_a_time(q, k)
        if rows >= q.shape[2]:
            return _explicit(q, k, v, mask)
        pieces = []
        for start in range(0, q.shape[2], rows):
            some = slice(start, start + rows)
            allowed = mask if mask is None or mask.shape[2] == 1 else mask[:, :, some]
            pieces.append(_explicit(q[:, :, some], k, v, allowed))
        return torch.cat(pieces, dim=2)


def _explicit(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    scores = q @ k.transpose(-2, -1)  # B A N M
    if mask is None:
        return scores.softmax(dim=-1) @ v
    # Not minus infinity: a row of those has no softmax, and its gradient would be NaN.
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return (scores.softmax(dim=-1) * mask) @ v


def _rows_at_a_time(q: Tensor, k: Tensor) -> int:
    """All queries, or as many as keep the scores of large pictures within ``MAP_BYTES``."""
    batch, heads, num_queries, _ = q.shape
    if torch.compiler.is_compiling():  # the compiler plans its own memory, for any length
        return num_queries
    return max(1, MAP_BYTES // (batch * heads * k.shape[2] * q.element_size()))


def fastest_path(
    setting: AttentionPath, *, device: torch.device, dtype: torch.dtype, num_tokens: int
) -> Literal["fused", "explicit"]:
    """Resolves ``auto`` to the path that was faster, forward and backward together.

    Measured on a CPU by ``python -m benchmarks attention_paths``: in bf16 the fused path takes 5
    times as long as the explicit one at 64 tokens, 2.8 times at 196, and the same from 400 on; in
    fp32 it takes 0.4 to 0.8 of the time. Elsewhere the fused one is taken; not measured yet.
    """
    if setting != "auto":
        return setting
    if device.type == "cpu" and dtype == torch.bfloat16 and num_tokens < 400:
        return "explicit"
    return "fused"


def softmax_scale(head_dim: int) -> float:
    """The usual 1 / sqrt(E), which keeps the variance of the scores at 1 (arXiv 1706.03762)."""
    return head_dim**-0.5


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Computes in the precision of what is given, whatever autocast would do."""
    if not torch.amp.is_autocast_available(device.type):  # the meta device has none
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
