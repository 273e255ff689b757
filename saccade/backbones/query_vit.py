"""A transformer whose last blocks see query tokens beside the patches (EoMT, arXiv 2503.19108)."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryVit:
    """A view of a backbone and of queries; both keep their own parameters.

    Queries stand before everything else and count as prefix tokens, so ``num_prefix`` stays the
    one number that says where the patches begin. Without a mask the last blocks are plain blocks on
    ``[queries; tokens]``.

    Attributes:
        backbone: whose blocks are run.
        query_tokens: the same for every picture.
        num_query_blocks: the last blocks, which see the queries too; at least 1.
    """

    backbone: Vit | Rag
    query_tokens: Float[Tensor, "1 Q D"]
    num_query_blocks: int

    def __post_init__(self) -> None:
        depth = len(self.backbone.blocks)
        if not 1 <= self.num_query_blocks <= depth:
            raise ValueError(
                f"{self.num_query_blocks} blocks are to see the queries, and the backbone has "
                f"{depth}; choose a number from 1 to {depth}"
            )

    @property
    def embed_dim(self) -> int:
        """The width D."""
        return self.backbone.embed_dim

    @property
    def patch_size(self) -> int:
        """Pixels a side."""
        return self.backbone.patch_size

    @property
    def num_queries(self) -> int:
        """How many query tokens there are."""
        return self.query_tokens.shape[1]

    @property
    def blocks(self) -> list[nn.Module]:
        """The last blocks, which see the queries."""
        return list(self.backbone.blocks)[-self.num_query_blocks :]

    def __call__(self, images: Float[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """All tokens after the last block and the final norm, the queries first."""
        tokens = self.begin(images)  # B Q+N D
        for block in self.blocks:
            tokens = self.run(block, tokens, trace)  # B Q+N D
        return self.readout(tokens)

    def run(self, block: nn.Module, tokens: Tokens, trace: Trace | None = None) -> Tokens:
        """One block; twice, to keep less in memory, where the backbone is told so."""
        after = self.backbone.blocks.run(block, tokens, trace)
        assert isinstance(after, Tokens)  # only packed pictures give packed tokens
        return after

    def begin(self, images: Float[Tensor, "B C H W"]) -> Tokens:
        """What the first block with queries is given."""
        tokens = self.backbone.begin(images)  # B N D
        for block in list(self.backbone.blocks)[: -self.num_query_blocks]:
            tokens = self.run(block, tokens)  # B N D
        return with_queries(tokens, self.query_tokens)

    def readout(self, tokens: Tokens) -> Tokens:
        """The final norm; also reads the output of an earlier block."""
        return self.backbone.readout(tokens)


def with_queries(tokens: Tokens, query_tokens: Float[Tensor, "1 Q D"]) -> Tokens:
    """The same tokens with queries before them, which count as prefix."""
    assert tokens.attention_mask is None  # it would have to grow too
    queries = query_tokens.expand(len(tokens.x), -1, -1).to(tokens.x.dtype)
    return replace(
        tokens,
        x=torch.cat([queries, tokens.x], dim=1),
        num_prefix=tokens.num_prefix + queries.shape[1],
    )


def without_queries(tokens: Tokens, num_queries: int) -> Tokens:
    """The inverse of ``with_queries``."""
    return replace(
        tokens,
        x=tokens.x[:, num_queries:],
        num_prefix=tokens.num_prefix - num_queries,
        attention_mask=None,
    )


def looking_only_at(tokens: Tokens, region: Bool[Tensor, "B Q n"]) -> Tokens:
    """The same tokens, whose queries look at some patches only.

    Queries still see each other and the rest of the prefix, so none is left with nothing to look
    at; and all other tokens see everything.

    Args:
        tokens: the queries first.
        region: for each query, the patches that it may look at.
    """
    batch, num_queries, num_patches = region.shape
    num_tokens = tokens.x.shape[1]
    mask = region.new_ones(batch, 1, num_tokens, num_tokens)
    mask[:, 0, :num_queries, num_tokens - num_patches :] = region
    return replace(tokens, attention_mask=mask)
