"""A probe that looks at all tokens of a frozen backbone: what the mean of them hides."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.transformer.linear import Linear

MOST_QUERIES = 32


class AttentiveProbe(nn.Module):
    """Learned queries that pool the tokens, each a part of the channels (arXiv 2506.10178).

    The keys are the tokens themselves, and one map gives all values, so it is hardly larger than a
    linear probe: Q queries of D numbers, a D x D map, and D x K for the classes.

    Args:
        embed_dim: the width D of the tokens.
        num_classes: K.
    """

    def __init__(self, embed_dim: int, *, num_classes: int) -> None:
        super().__init__()
        self.num_queries = max(q for q in range(1, MOST_QUERIES + 1) if embed_dim % q == 0)
        self.query_tokens = nn.Parameter(torch.empty(self.num_queries, embed_dim))
        nn.init.normal_(self.query_tokens, std=0.02)
        self.value = Linear(embed_dim, embed_dim)
        self.norm = nn.BatchNorm1d(embed_dim, affine=False)
        self.classify = Linear(embed_dim, num_classes)

    def forward(self, tokens: Float[Tensor, "B n D"]) -> Float[Tensor, "B K"]:
        """Logits of each picture.

        The plain version, with values cut into Q pieces of D / Q channels::

            for q in range(Q):
                weights = softmax(tokens @ query_tokens[q] / sqrt(D))     # n
                pooled[q] = weights @ values[:, piece(q)]                 # D / Q
        """
        scores = tokens @ self.query_tokens.T / tokens.shape[2] ** 0.5  # B n Q
        weights = scores.softmax(dim=1).mT[:, :, None]  # B Q 1 n
        values = self.value(tokens).unflatten(2, (self.num_queries, -1)).transpose(1, 2)
        pooled = (weights @ values).flatten(1)  # B D
        return self.classify(self.norm(pooled))
