"""A CNN whose feature maps look at themselves, several times.

    context = softmax(similarity(Q, K)) V        Q, K, V: projections of one feature map
    map     = map + context

The similarity is the scaled dot product or the cosine; the projections are linear (1 x 1) or
convolutional (1 x 1, then depthwise 3 x 3). Non-local networks (arXiv 1711.07971) are the
single-headed form of it; the cosine with a learned temperature is that of Swin V2 (2111.09883).
"""

from jaxtyping import Float
from torch import Tensor, nn

from saccade.backbones.conv import ConvFeatures
from saccade.tokens.patches import pad_to_multiple
from saccade.tokens.tokens import Tokens, from_map
from saccade.transformer.attention import SelfAttention
from saccade.transformer.trace import Trace


class MapAttention(nn.Module):
    """Self-attention on a feature map, the context added to the map.

    Args:
        attention: looks at the cells of the map as tokens.
        channels: of the map.
    """

    def __init__(self, attention: SelfAttention, *, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.attention = attention

    def forward(
        self, x: Float[Tensor, "B D h w"], trace: Trace | None = None
    ) -> Float[Tensor, "B D h w"]:
        """``x + context``."""
        cells = from_map(self.norm(x))
        context = cells.with_x(self.attention(cells, trace))
        return x + context.as_map()


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
