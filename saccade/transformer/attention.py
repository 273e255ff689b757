"""Attention, once, with two equal ways to compute it.

*Fused* is PyTorch's ``scaled_dot_product_attention``: it never forms the N x N map. *Explicit*
forms it, so it can be looked at and differentiated. Which one is faster is a matter of device,
precision and length, so it is measured, not assumed: see ``fastest_path``.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.config.model import AttentionPath
from saccade.shapes import Grid
from saccade.transformer.trace import Trace, TracedLayer


def attend(
    q: Float[Tensor, "B A N E"],
    k: Float[Tensor, "B A M E"],
    v: Float[Tensor, "B A M E"],
    *,
    scale: float | Tensor,
    path: Literal["fused", "explicit"],
) -> tuple[Float[Tensor, "B A N E"], Float[Tensor, "B A N M"] | None]:
    """softmax(scale * q k^T) v, for each head.

    The naive version::

        for b, a, n:
            weights = softmax([scale * dot(q[b, a, n], k[b, a, m]) for m in range(M)])
            out[b, a, n] = sum(weights[m] * v[b, a, m] for m in range(M))

    Args:
        q, k, v: queries, keys and values.
        scale: usually ``E ** -0.5``; a tensor (one per head, shape ``A 1 1``) for a learned one.
        path: how to compute it; both agree to rounding in value and gradient.

    Returns:
        The context, and the map on the explicit path (None on the fused one).
    """
    q = q * scale
    # Autocast would run the softmax in fp32 and copy the N x N map twice. ATen's softmax already
    # accumulates in fp32, so the inputs' own precision is enough and, on a CPU, twice as fast.
    with _without_autocast(q.device):
        q, k = q.to(v.dtype), k.to(v.dtype)
        if path == "fused":
            return F.scaled_dot_product_attention(q, k, v, scale=1.0), None
        weights = (q @ k.transpose(-2, -1)).softmax(dim=-1)
        return weights @ v, weights


def _without_autocast(device: torch.device) -> AbstractContextManager[object]:
    if not torch.amp.is_autocast_available(device.type):  # the meta device has none
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


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


class SelfAttention(nn.Module):
    """Multi-head self-attention.

    Args:
        embed_dim: the width D of a token.
        num_heads: heads A; must divide the width.
        path: ``fused``, ``explicit``, or ``auto`` for the faster one.

    Raises:
        ValueError: the heads do not divide the width.
    """

    def __init__(self, embed_dim: int, *, num_heads: int, path: AttentionPath) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim {embed_dim} cannot be shared by {num_heads} heads evenly")
        self.num_heads = num_heads
        self.path: AttentionPath = path
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)

    def forward(
        self, x: Float[Tensor, "B N D"], *, num_prefix: int, grid: Grid, trace: Trace | None
    ) -> Float[Tensor, "B N D"]:
        """Lets every token look at every token; notes the map in ``trace`` when there is one."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        # B A N E each
        path = fastest_path(self.path, device=x.device, dtype=q.dtype, num_tokens=x.shape[1])
        context, weights = attend(
            q, k, v, scale=softmax_scale(q.shape[-1]), path="explicit" if trace else path
        )  # B A N E
        if trace is not None:
            assert weights is not None
            trace.layers.append(
                TracedLayer(attention=weights, alpha=1.0, num_prefix=num_prefix, grid=grid)
            )
        return self.proj(context.transpose(1, 2).flatten(2))  # B N D
