"""ViT: a picture is a sequence of patches (arXiv 2010.11929)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.patches import PatchEmbed
from saccade.tokens.positions import PositionModule
from saccade.tokens.stem import ConvStem
from saccade.tokens.tokens import Tokens, from_map
from saccade.transformer.block import init_linear
from saccade.transformer.trace import Trace


class Vit(nn.Module):
    """The vision transformer.

    Args:
        embed: pictures to a map of embedded patches, linear or by a convolutional stem.
        position: adds where each patch stands.
        blocks: the transformer.
        embed_dim: the width D.
        num_prefix: how many learned tokens (class token, registers) stand before the patches.
    """

    def __init__(
        self,
        *,
        embed: PatchEmbed | ConvStem,
        position: PositionModule,
        blocks: nn.ModuleList,
        embed_dim: int,
        num_prefix: int,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.patch_size = embed.patch_size
        self.embed = embed
        self.position = position
        self.prefix = nn.Parameter(torch.empty(1, num_prefix, embed_dim))
        self.blocks = blocks
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.blocks.apply(init_linear)
        nn.init.trunc_normal_(self.prefix, std=0.02)

    def forward(self, images: Float[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """Embeds the patches, adds positions, lets them look at each other."""
        patches = from_map(self.embed(images))  # B n D
        x = self.position(patches.x, patches.grid)  # B n D
        num_prefix = self.prefix.shape[1]
        x = torch.cat([self.prefix.expand(len(x), -1, -1).to(x.dtype), x], dim=1)  # B N D
        tokens = Tokens(x=x, grid=patches.grid, num_prefix=num_prefix)
        for block in self.blocks:
            tokens = block(tokens, trace)  # B N D
        return self.readout(tokens)

    def readout(self, tokens: Tokens) -> Tokens:
        """The final norm; also reads the output of an earlier block (for LeGrad)."""
        return tokens.with_x(self.norm(tokens.x))
