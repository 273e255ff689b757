"""Draws the patches that the encoder was not shown (arXiv 2111.06377)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from saccade.shapes import Grid
from saccade.tokens.positions import SinCosPosition
from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Block, Blocks, init_linear
from saccade.transformer.linear import Linear
from saccade.transformer.mlp import Mlp
from saccade.transformer.residual import make_gate

_MLP_RATIO = 4


class PatchDecoder(nn.Module):
    """A small transformer over all patches: the encoder's tokens, and a mask token for the hidden.

    Args:
        embed_dim: the width of the encoder's tokens.
        decoder_dim: of its own; a multiple of ``num_heads``.
        depth: blocks.
        num_heads: attention heads of a block.
        patch_dim: numbers in a patch, C * P * P.
    """

    def __init__(
        self, embed_dim: int, *, decoder_dim: int, depth: int, num_heads: int, patch_dim: int
    ) -> None:
        super().__init__()
        self.narrow = Linear(embed_dim, decoder_dim)
        self.mask_token = nn.Parameter(torch.empty(1, 1, decoder_dim))
        self.position = SinCosPosition(decoder_dim)
        self.blocks = Blocks(
            Block(
                attention=SelfAttention(decoder_dim, num_heads=num_heads, path="auto"),
                mlp=Mlp(decoder_dim, hidden_dim=_MLP_RATIO * decoder_dim),
                attention_gate=make_gate("prenorm", decoder_dim),
                mlp_gate=make_gate("prenorm", decoder_dim),
                embed_dim=decoder_dim,
                drop_path=0.0,
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(decoder_dim, eps=1e-6)
        self.draw = Linear(decoder_dim, patch_dim)
        self.apply(init_linear)
        nn.init.trunc_normal_(self.mask_token, std=0.02)

    def forward(
        self, visible: Tokens, places: Int64[Tensor, "B m"], grid: Grid
    ) -> Float[Tensor, "B n CPP"]:
        """All patches of each picture, the visible ones too.

        Args:
            visible: what the encoder returns for the patches that it was shown, and its prefix.
            places: where in the grid each of them stands.
            grid: of all patches.
        """
        seen = self.narrow(visible.x)  # B R+m D2
        prefix, patches = seen[:, : visible.num_prefix], seen[:, visible.num_prefix :]
        every = self.mask_token.to(seen.dtype).repeat(len(seen), grid.num_tokens, 1)  # B n D2
        every = every.scatter(1, places[..., None].expand_as(patches), patches)
        tokens = Tokens(
            x=torch.cat([prefix, every], dim=1), grid=grid, num_prefix=visible.num_prefix
        )
        tokens = self.blocks(self.position(tokens))
        return self.draw(self.norm(tokens.patches))
