"""Which objects there are: a class and a mask for each query (arXiv 2112.01527, 2503.19108)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.heads.segment import LinearMapHead, MapLogits
from saccade.heads.upscale import Upscale
from saccade.tokens.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class MaskLogits:
    """What a mask head returns.

    Attributes:
        class_logits: before the softmax; the last class is "no object".
        mask_logits: before the sigmoid, for each cell of the padded pictures.
        cell_size: pixels a side of a cell.
    """

    class_logits: Float[Tensor, "B Q K1"]
    mask_logits: Float[Tensor, "B Q h2 w2"]
    cell_size: int


class MaskHead(nn.Module):
    """Each query names a class and marks the cells that look like it.

    A mask is the product of the query's vector with the vector of every cell, so a query says what
    belongs to it, and the cells, made finer than patches by ``Upscale``, say where that is.

    Args:
        embed_dim: the width D of the tokens.
        num_classes: K.
        num_queries: Q, the most objects that can be found.
        in_channels: of the pictures.
        patch_size: pixels a side of a token.
        width: numbers by which queries and cells are compared.
    """

    def __init__(
        self,
        embed_dim: int,
        *,
        num_classes: int,
        num_queries: int,
        in_channels: int,
        patch_size: int,
        width: int,
    ) -> None:
        super().__init__()
        self.num_queries = num_queries
        # "prefix" ends the name of every learned token: the optimiser does not let those decay.
        self.query_prefix = nn.Parameter(torch.empty(1, num_queries, embed_dim))
        nn.init.normal_(self.query_prefix)
        self.classify = nn.Linear(embed_dim, num_classes + 1)
        self.describe = nn.Sequential(
            nn.Linear(embed_dim, embed_dim), nn.GELU(), nn.Linear(embed_dim, width)
        )
        self.upscale = Upscale(
            embed_dim, in_channels=in_channels, patch_size=patch_size, width=width
        )
        self.cells = nn.Conv2d(width, width, 1)
        self.patches = LinearMapHead(embed_dim, num_classes=num_classes + 1, patch_size=patch_size)

    def forward(self, tokens: Tokens, images: Float[Tensor, "B C H W"]) -> MaskLogits:
        """Class and mask of each query.

        Args:
            tokens: normalised, the queries first.
            images: normalised.
        """
        queries = tokens.x[:, : self.num_queries]  # B Q D
        cells = self.cells(self.upscale(tokens, images))  # B width h2 w2
        scale = cells.shape[1] ** -0.5  # masks start undecided, at any width
        wanted = self.describe(queries) * scale  # B Q width
        return MaskLogits(
            class_logits=self.on_queries(tokens),
            mask_logits=torch.einsum("bqd,bdhw->bqhw", wanted, cells),
            cell_size=self.upscale.cell_size,
        )

    def on_patches(self, tokens: Tokens, images: Float[Tensor, "B C H W"]) -> MapLogits:
        """What the patches themselves say about each pixel: no object, or a class.

        Only for training. A few queries in a picture teach a backbone slowly what things look like;
        every pixel does so from the first step.
        """
        return self.patches(tokens, images)

    def on_queries(self, tokens: Tokens) -> Float[Tensor, "B Q K1"]:
        """The classes alone."""
        return self.classify(tokens.x[:, : self.num_queries])
