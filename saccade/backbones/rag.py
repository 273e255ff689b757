"""RAG, "ReZero and Attention": convolutional features, the raw picture, ReZero attention.

Nothing to do with retrieval-augmented generation.

    features = CNN(image)                      what the convolutions saw          B D h w
    raw      = patches(image) @ W              the picture itself, same grid      B D h w
    x        = features + raw + position       tokens                             B N D
    x        = x + alpha * attention(x)        alpha learned, starting at 0
    x        = x + alpha * mlp(x)

The convolutions bring what a small data set cannot teach attention (that near pixels belong
together); the raw residual keeps what they threw away; ReZero (arXiv 2003.04887) lets the stack
start as the identity, so the model begins as a CNN and grows into a transformer. With alpha fixed
at 1 (``residual="prenorm"``) each step is the plain ``Q + Attention(Q, K, V)``.
"""

from jaxtyping import Float
from torch import Tensor, nn

from saccade.backbones.conv import ConvEmbed
from saccade.backbones.vit import Position
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.tokens import Tokens
from saccade.transformer.block import Blocks, init_linear
from saccade.transformer.trace import Trace


class Rag(nn.Module):
    """ReZero and Attention.

    Args:
        features: the CNN; None leaves it out (an ablation).
        raw_image: embeds the raw picture on the same grid; None leaves it out (an ablation).
        position: says where each token stands.
        blocks: the transformer, usually with ReZero gates.
        embed_dim: the width D.
        patch_size: pixels per token along a side.

    Raises:
        ValueError: neither features nor raw image.
    """

    def __init__(
        self,
        *,
        features: ConvEmbed | None,
        raw_image: PatchEmbed | None,
        position: Position,
        blocks: Blocks,
        embed_dim: int,
        patch_size: int,
    ) -> None:
        super().__init__()
        if features is None and raw_image is None:
            raise ValueError(
                "rag needs has_features or has_raw_image; with neither it sees nothing"
            )
        self.embed_dim = embed_dim
        self.patch_size = patch_size
        self.features = features
        self.raw_image = raw_image
        self.position = position
        self.blocks = blocks
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.blocks.apply(init_linear)

    def forward(self, images: Float[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """CNN features plus the raw picture, then attention."""
        tokens = self.begin(images)  # B N D
        tokens = self.blocks(tokens, trace)  # B N D
        return self.readout(tokens)

    def begin(self, images: Float[Tensor, "B C H W"]) -> Tokens:
        """What the first block is given: features + raw image + position."""
        seen = [part(images) for part in (self.features, self.raw_image) if part is not None]
        tokens = seen[0].with_x(sum((part.x for part in seen[1:]), start=seen[0].x))  # B N D
        return self.position(tokens)

    def readout(self, tokens: Tokens) -> Tokens:
        """The final norm; also reads the output of an earlier block (for LeGrad)."""
        return tokens.with_x(self.norm(tokens.x))
