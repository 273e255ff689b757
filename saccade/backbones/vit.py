"""ViT: a picture is a sequence of patches (arXiv 2010.11929)."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.backbones.conv import ConvEmbed
from saccade.tokens.clip_stem import ClipStem
from saccade.tokens.packing import pack
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.positions import LearnedPosition, SinCosPosition
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.stem import ConvStem
from saccade.tokens.tokens import Tokens
from saccade.tokens.tubelets import TubeletEmbed
from saccade.transformer.block import Blocks, init_linear
from saccade.transformer.trace import Trace

Embed = PatchEmbed | ConvStem | ConvEmbed | TubeletEmbed | ClipStem
Position = SinCosPosition | LearnedPosition | RotaryPosition | nn.Identity


class Vit(nn.Module):
    """The vision transformer.

    Args:
        embed: pictures, or clips, to embedded patches.
        position: says where each patch stands; an identity where nothing does.
        embed_norm: what the embedded tokens pass before the first block.
        blocks: the transformer.
        norm: what the tokens pass after the last block.
        embed_dim: the width D.
        num_prefix: how many learned tokens (class token, registers) stand before the patches.
    """

    def __init__(
        self,
        *,
        embed: Embed,
        position: Position,
        embed_norm: nn.LayerNorm | nn.Identity,
        blocks: Blocks,
        norm: nn.LayerNorm | nn.Identity,
        embed_dim: int,
        num_prefix: int,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.patch_size = embed.patch_size
        self.embed = embed
        self.prefix = nn.Parameter(torch.empty(1, num_prefix, embed_dim))
        self.position = position
        self.embed_norm = embed_norm
        self.blocks = blocks
        self.norm = norm
        self.blocks.apply(init_linear)
        nn.init.trunc_normal_(self.prefix, std=0.02)

    def forward(
        self,
        images: Float[Tensor, "B C H W"] | Float[Tensor, "B T C H W"],
        trace: Trace | None = None,
    ) -> Tokens:
        """Embeds the patches, says where they stand, lets them look at each other."""
        tokens = self.begin(images)  # B N D
        tokens = self.blocks(tokens, trace)  # B N D
        return self.readout(tokens)

    def forward_packed(
        self, images: Sequence[Float[Tensor, "C _H _W"] | Float[Tensor, "_T C _H _W"]]
    ) -> list[Tokens]:
        """Pictures of different sizes in one pass, without padding (NaViT, arXiv 2307.06304).

        Args:
            images: at least one; ``saccade.tokens.packing.fill`` finds those that fill a batch.

        Returns:
            The tokens of each picture, a batch of one, equal to rounding to what ``forward`` gives
            for it alone. A path that is dropped while training is drawn for each picture.

        Raises:
            ValueError: no picture was given; or the model is training and its stem normalises over
                the batch, which would be each picture by itself.
        """
        if self.training and any(isinstance(m, nn.BatchNorm2d) for m in self.embed.modules()):
            raise ValueError(
                "the stem normalises over the batch, and packed pictures are embedded one by one; "
                "train on pictures of one size, or build the model with stem='patches'"
            )
        tokens = pack([self.begin(image[None]) for image in images])  # 1 N D
        tokens = self.blocks(tokens)  # 1 N D
        return tokens.with_x(self.norm(tokens.x)).unpack()

    def begin(self, images: Float[Tensor, "B C H W"] | Float[Tensor, "B T C H W"]) -> Tokens:
        """What the first block is given."""
        tokens = self.embed(images)  # B n D
        tokens = self._with_prefix(tokens)  # B N D
        tokens = self.position(tokens)
        return tokens.with_x(self.embed_norm(tokens.x))

    def readout(self, tokens: Tokens) -> Tokens:
        """The final norm; also reads the output of an earlier block (for LeGrad)."""
        return tokens.with_x(self.norm(tokens.x))

    def _with_prefix(self, tokens: Tokens) -> Tokens:
        num_prefix = self.prefix.shape[1]
        if num_prefix == 0:
            return tokens
        prefix = self.prefix.expand(len(tokens.x), -1, -1).to(tokens.x.dtype)
        return replace(tokens, x=torch.cat([prefix, tokens.x], dim=1), num_prefix=num_prefix)
