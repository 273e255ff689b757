"""Self-attention: who looks at whom, and what they see."""

from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from saccade.config.model import AttentionPath, Projection, Similarity
from saccade.tokens.packing import AnyTokens, PackedTokens
from saccade.tokens.rotary import rotate
from saccade.transformer.attend import attend, fastest_path, softmax_scale
from saccade.transformer.linear import Linear
from saccade.transformer.packed import attend_packed
from saccade.transformer.trace import Trace, TracedLayer
from saccade.transformer.window import attend_in_windows, window_mask


class SelfAttention(nn.Module):
    """Multi-head self-attention.

    Args:
        embed_dim: the width D of a token.
        num_heads: heads A; must divide the width.
        path: ``fused``, ``explicit``, or ``auto`` for the faster one.
        similarity: ``dot`` (scaled by 1/sqrt(E)) or ``cosine`` (unit vectors and one learned
            temperature for each head, arXiv 2111.09883).
        projection: ``linear``, or ``conv``: linear, then a depthwise 3 x 3 over the patches (in
            the spirit of arXiv 2103.15808), which prefix tokens pass by.
        has_qk_norm: a LayerNorm on the queries and keys of each head (arXiv 2302.05442).
        has_bias: of the map to queries, keys and values.
        window_size: cells a side that a patch looks at, prefix tokens apart; 0: all.
        norm_eps: of the norms on queries and keys.

    Raises:
        ValueError: the heads do not divide the width.
    """

    def __init__(
        self,
        embed_dim: int,
        *,
        num_heads: int,
        path: AttentionPath,
        similarity: Similarity = "dot",
        projection: Projection = "linear",
        has_qk_norm: bool = False,
        has_bias: bool = True,
        window_size: int = 0,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim {embed_dim} cannot be shared by {num_heads} heads evenly")
        head_dim = embed_dim // num_heads
        self.num_heads = num_heads
        self.path: AttentionPath = path
        self.window_size = window_size
        self.qkv = Linear(embed_dim, 3 * embed_dim, bias=has_bias)
        self.mix = DepthwiseMix(3 * embed_dim) if projection == "conv" else None
        self.q_norm = nn.LayerNorm(head_dim, eps=norm_eps) if has_qk_norm else None
        self.k_norm = nn.LayerNorm(head_dim, eps=norm_eps) if has_qk_norm else None
        self.temperature = CosineTemperature(num_heads) if similarity == "cosine" else None
        self.proj = Linear(embed_dim, embed_dim)

    def forward(self, tokens: AnyTokens, trace: Trace | None = None) -> Float[Tensor, "B N D"]:
        """Lets every token look at those it may see; notes it in ``trace`` when there is one.

        Raises:
            ValueError: a trace was asked for of packed pictures.
        """
        if isinstance(tokens, PackedTokens):
            return self._forward_packed(tokens, trace)
        q, k, v = self.queries_keys_values(tokens)  # B A N E each, q scaled
        is_windowed = 0 < self.window_size < max(tokens.grid.h, tokens.grid.w)
        mask = tokens.attention_mask
        if is_windowed and (mask is not None or trace is not None):
            mask = _both(mask, window_mask(tokens.grid, tokens.num_prefix, self.window_size, q))
        if is_windowed and tokens.attention_mask is None:
            context = attend_in_windows(
                q,
                k,
                v,
                grid=tokens.grid,
                num_prefix=tokens.num_prefix,
                window_size=self.window_size,
                path=self.path,
            )
        else:
            path = fastest_path(self.path, device=q.device, dtype=v.dtype, num_tokens=q.shape[2])
            context = attend(q, k, v, path=path, mask=mask)  # B A N E
        if trace is not None:
            trace.layers.append(
                TracedLayer(
                    q=q,
                    k=k,
                    v=v,
                    context=context,
                    mask=mask,
                    alpha=1.0,
                    num_prefix=tokens.num_prefix,
                    grid=tokens.grid,
                )
            )
        return self.proj(context.transpose(1, 2).flatten(2))  # B N D

    def queries_keys_values(self, tokens: AnyTokens) -> tuple[Tensor, Tensor, Tensor]:
        """Queries times the scale of their scores, keys, and values; ``B A N E`` each."""
        qkv = self.qkv(tokens.x)  # B N 3D
        if self.mix is not None:
            qkv = self.mix(tokens.with_x(qkv))
        q, k, v = qkv.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        if self.temperature is None:
            q = q * softmax_scale(q.shape[-1])
        else:
            q, k = self.temperature(q), nn.functional.normalize(k, dim=-1)
        if tokens.rotation is not None:
            q, k = rotate(q, tokens.rotation), rotate(k, tokens.rotation)
        # Under autocast norms answer in fp32.
        return q.to(v.dtype), k.to(v.dtype), v

    def _forward_packed(self, tokens: PackedTokens, trace: Trace | None) -> Float[Tensor, "1 N D"]:
        if trace is not None:
            raise ValueError(
                "packed pictures cannot be traced: the notes have one grid; give the pictures to "
                "the model one size at a time"
            )
        q, k, v = self.queries_keys_values(tokens)  # 1 A N E each
        context = attend_packed(
            q, k, v, tokens=tokens, window_size=self.window_size, path=self.path
        )  # 1 N D
        return self.proj(context)


class CosineTemperature(nn.Module):
    """Unit queries times one learned factor for each head, starting at 10.

    At most 100, or the softmax saturates and its gradient is lost (arXiv 2111.09883).
    """

    def __init__(self, num_heads: int) -> None:
        super().__init__()
        self.log_factor = nn.Parameter(torch.full((num_heads, 1, 1), 10.0).log())

    def forward(self, q: Float[Tensor, "B A N E"]) -> Float[Tensor, "B A N E"]:
        """Scales queries so that their product with unit keys is the score."""
        return nn.functional.normalize(q, dim=-1) * self.log_factor.exp().clamp(max=100)


class DepthwiseMix(nn.Module):
    """A depthwise 3 x 3 convolution over the patches of each frame; prefix tokens pass by."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, tokens: AnyTokens) -> Float[Tensor, "B N D"]:
        """Mixes each patch with its eight neighbours."""
        if isinstance(tokens, PackedTokens):
            return torch.cat([self(picture) for picture in tokens.unpack()], dim=1)
        t, h, w = tokens.grid
        frames = tokens.patches.unflatten(1, (t, h, w)).flatten(0, 1)  # B*t h w D
        mixed = self.conv(frames.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        patches = mixed.unflatten(0, (-1, t)).flatten(1, 3)
        return torch.cat([tokens.prefix, patches], dim=1) if tokens.num_prefix else patches


def _both(one: Bool[Tensor, "#B 1 #N N"] | None, other: Bool[Tensor, "1 1 N N"]) -> Tensor:
    return other if one is None else cast("Tensor", one & other)
