"""Convolution, pooling, fully connected: the baseline that attention has to beat."""

from jaxtyping import Float
from torch import Tensor, nn

from saccade.backbones.conv import ConvFeatures
from saccade.tokens.tokens import Tokens, from_map
from saccade.transformer.trace import Trace


class Cnn(nn.Module):
    """The pyramid alone; its last map, normalised, is the tokens."""

    def __init__(self, *, features: ConvFeatures, embed_dim: int) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.patch_size = features.patch_size
        self.features = features
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)

    def forward(self, images: Float[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """The last feature map as tokens; there is no attention to trace."""
        del trace
        return self.readout(from_map(self.features(images)))

    def readout(self, tokens: Tokens) -> Tokens:
        """The final norm."""
        return tokens.with_x(self.norm(tokens.x))
