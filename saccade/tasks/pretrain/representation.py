"""What tasks that learn without labels share: bytes to numbers, and figures of their vectors."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.config.model import Pool
from saccade.heads.classify import pooled
from saccade.metrics.representation import effective_rank, mean_std, votes_of_the_others
from saccade.tokens.tokens import Tokens

MOST_JUDGED = 2048
"""Held-out pictures that choose the best weights; more would cost time and change nothing."""


def strength(tokens: Tokens, pool: Pool) -> Float[Tensor, " B"]:
    """Half the squared length of each picture's vector.

    Its gradient is that of the vector along itself, so an explanation of it says which patches make
    the vector what it is.
    """
    return pooled(tokens, pool).float().square().sum(dim=1) / 2


class Vectors:
    """Collects the vectors of pictures, and says what they are worth."""

    def __init__(self) -> None:
        self._vectors: list[Float[Tensor, "_n D"]] = []
        self._labels: list[Int64[Tensor, " _n"]] = []

    def __len__(self) -> int:
        return sum(len(vectors) for vectors in self._vectors)

    def update(self, vectors: Float[Tensor, "n D"], labels: Int64[Tensor, " n"] | None) -> None:
        """Adds those of some pictures, and their classes where they are known."""
        self._vectors.append(vectors.float().cpu())
        if labels is not None:
            self._labels.append(labels.cpu())

    def figures(self) -> dict[str, float]:
        """``effective_rank``, ``mean_std``, and with classes ``knn_top1``.

        The last is how often 20 nearest neighbours among the other pictures vote for the right
        class. Classes are used here and nowhere else: no weight depends on them.
        """
        vectors = torch.cat(self._vectors)
        found = {"effective_rank": effective_rank(vectors), "mean_std": mean_std(vectors)}
        if self._labels:
            labels = torch.cat(self._labels)
            votes = votes_of_the_others(vectors, labels, num_classes=int(labels.max()) + 1)
            found["knn_top1"] = (votes.argmax(dim=1) == labels).float().mean().item()
        return found
