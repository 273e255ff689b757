"""A vector for each picture, by which pictures of one kind are near each other."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.config.model import Pool
from saccade.heads.classify import pooled
from saccade.tokens.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class EmbedVectors:
    """What an embedding head returns.

    Attributes:
        vectors: of unit length, in fp32.
        cosines: between them and the vector of each class.
    """

    vectors: Float[Tensor, "B D"]
    cosines: Float[Tensor, "B K"]


class EmbedHead(nn.Module):
    """Pools the tokens, maps them to fewer numbers, and knows a direction for each class.

    Args:
        embed_dim: the width of the tokens.
        num_classes: K.
        out_dim: numbers in a vector.
        pool: which tokens are read; see ``ClassHead``.
    """

    def __init__(self, embed_dim: int, *, num_classes: int, out_dim: int, pool: Pool) -> None:
        super().__init__()
        self.pool: Pool = pool
        width = 2 * embed_dim if pool == "class_and_mean" else embed_dim
        # The norm of shapes that have theirs after pooling; for the others it changes little.
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, out_dim)
        nn.init.orthogonal_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.class_vectors = nn.Parameter(torch.empty(num_classes, out_dim))
        nn.init.normal_(self.class_vectors, std=out_dim**-0.5)

    def forward(self, tokens: Tokens) -> EmbedVectors:
        """The vector of each picture."""
        mapped = self.project(self.norm(pooled(tokens, self.pool)))
        vectors = F.normalize(mapped.float(), dim=1)
        return EmbedVectors(vectors=vectors, cosines=vectors @ self.class_directions().T)

    def class_directions(self) -> Float[Tensor, "K D"]:
        """The vector of each class at unit length, in fp32."""
        return F.normalize(self.class_vectors.float(), dim=1)
