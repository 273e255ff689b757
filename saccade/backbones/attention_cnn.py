"""A CNN whose feature maps look at themselves, several times.

    context = softmax(similarity(Q, K)) V        Q, K, V: projections of one feature map
    map     = map + context

The similarity is the scaled dot product or the cosine; the projections are linear (1 x 1) or
convolutional (1 x 1, then depthwise 3 x 3). Non-local networks (arXiv 1711.07971) are the
single-headed form of it; the cosine with a learned temperature is that of Swin V2 (2111.09883).
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.backbones.conv import ConvFeatures
from saccade.config.model import AttentionPath
from saccade.shapes import Grid
from saccade.tokens.patches import pad_to_multiple
from saccade.tokens.tokens import Tokens, from_map
from saccade.transformer.attention import attend, fastest_path, softmax_scale
from saccade.transformer.trace import Trace, TracedLayer


class MapAttention(nn.Module):
    """Self-attention on a feature map, the context added to the map.

    Args:
        channels: of the map; a multiple of ``num_heads``.
        num_heads: heads A.
        similarity: ``dot`` (scaled by 1/sqrt(E)) or ``cosine`` (unit vectors, one learned
            temperature per head, starting at 10).
        projection: ``linear`` (1 x 1) or ``conv`` (1 x 1, then depthwise 3 x 3).
        path: fused, explicit, or auto.

    Raises:
        ValueError: the heads do not divide the channels.
    """

    def __init__(
        self,
        channels: int,
        *,
        num_heads: int,
        similarity: Literal["dot", "cosine"],
        projection: Literal["linear", "conv"],
        path: AttentionPath,
    ) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f"{channels} channels cannot be shared by {num_heads} heads evenly")
        self.num_heads = num_heads
        self.path: AttentionPath = path
        self.norm = nn.BatchNorm2d(channels)
        self.qkv = nn.Sequential(nn.Conv2d(channels, 3 * channels, 1))
        if projection == "conv":
            wide = 3 * channels
            self.qkv.append(nn.Conv2d(wide, wide, 3, padding=1, groups=wide))
        self.proj = nn.Conv2d(channels, channels, 1)
        self.log_temperature = (
            nn.Parameter(torch.full((num_heads, 1, 1), 10.0).log())
            if similarity == "cosine"
            else None
        )

    def forward(
        self, x: Float[Tensor, "B D h w"], trace: Trace | None = None
    ) -> Float[Tensor, "B D h w"]:
        """``x + context``."""
        grid = Grid(1, x.shape[2], x.shape[3])
        qkv = self.qkv(self.norm(x)).flatten(2)  # B 3D N
        q, k, v = qkv.unflatten(1, (3, self.num_heads, -1)).transpose(-2, -1).unbind(1)  # B A N E
        scale: float | Tensor = softmax_scale(q.shape[-1])
        if self.log_temperature is not None:
            q, k = nn.functional.normalize(q, dim=-1), nn.functional.normalize(k, dim=-1)
            # At most 100, or the softmax saturates and its gradient is lost (arXiv 2111.09883).
            scale = self.log_temperature.clamp(max=4.6).exp()
        path = fastest_path(self.path, device=x.device, dtype=v.dtype, num_tokens=grid.num_tokens)
        context, weights = attend(q, k, v, scale=scale, path="explicit" if trace else path)
        if trace is not None:
            assert weights is not None
            trace.layers.append(TracedLayer(attention=weights, alpha=1.0, num_prefix=0, grid=grid))
        context = context.transpose(-2, -1).flatten(1, 2).unflatten(2, (grid.h, grid.w))  # B D h w
        return x + self.proj(context)


class RepeatedAttention(nn.ModuleList):
    """Several ``MapAttention`` in turn; none at all is the identity."""

    def forward(
        self, x: Float[Tensor, "B D h w"], trace: Trace | None = None
    ) -> Float[Tensor, "B D h w"]:
        """Applies one after the other."""
        for attention in self:
            x = attention(x, trace)
        return x


class AttentionCnn(nn.Module):
    """The pyramid of ``ConvFeatures`` with attention after each of its last two stages.

    Args:
        features: the convolutional stages.
        attentions: for each stage, the attention applied after it.
        embed_dim: channels of the last stage.
    """

    def __init__(
        self, *, features: ConvFeatures, attentions: nn.ModuleList, embed_dim: int
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.patch_size = features.patch_size
        self.features = features
        self.attentions = attentions
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)

    def forward(self, images: Float[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """Convolve, attend, convolve, attend."""
        x = self.features.stem(pad_to_multiple(images, self.patch_size))  # B D0 H W
        for stage, attentions in zip(self.features.stages, self.attentions, strict=True):
            x = stage(x)  # B 2*D0 H/2 W/2, ...
            x = attentions(x, trace)
        return self.readout(from_map(x))

    def readout(self, tokens: Tokens) -> Tokens:
        """The final norm."""
        return tokens.with_x(self.norm(tokens.x))
