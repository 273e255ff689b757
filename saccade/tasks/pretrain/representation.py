"""What tasks that learn without labels share: bytes to numbers, and figures of their vectors."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.config.model import Pool
from saccade.data.batch import Batch
from saccade.heads.classify import pooled
from saccade.metrics.representation import effective_rank, mean_std, votes_of_the_others
from saccade.metrics.rows import Rows
from saccade.tokens.tokens import Tokens

MOST_JUDGED = 2048
"""Held-out pictures that choose the best weights; more would cost time and change nothing."""


def strength(tokens: Tokens, pool: Pool) -> Float[Tensor, " B"]:
    """Half the squared length of each picture's vector.

    Its gradient is that of the vector along itself, so an explanation of it says which patches make
    the vector what it is.
    """
    return pooled(tokens, pool).float().square().sum(dim=1) / 2


def random_as_before(batch: Batch) -> torch.Generator:
    """For what is random when held-out pictures are judged: the same for a batch each time.

    It depends on the batch alone, so that it does not matter which process judges it.
    """
    return torch.Generator().manual_seed(int(batch.ids[0]))


class Vectors:
    """Collects the vectors of pictures, and says what they are worth."""

    def __init__(self) -> None:
        self._vectors, self._labels = Rows(), Rows()

    def __len__(self) -> int:
        return len(self._vectors)

    def update(self, vectors: Float[Tensor, "n D"], labels: Int64[Tensor, " n"] | None) -> None:
        """Adds those of some pictures, and their classes where they are known."""
        self._vectors.add(vectors.float())
        if labels is not None:
            self._labels.add(labels)

    def extend(self, other: "Vectors") -> None:
        """Adds those of another, behind those that are here."""
        self._vectors.extend(other._vectors)
        self._labels.extend(other._labels)

    def figures(self) -> dict[str, float]:
        """``effective_rank``, ``mean_std``, and with classes ``knn_top1``.

        The last is how often 20 nearest neighbours among the other pictures vote for the right
        class. Classes are used here and nowhere else: no weight depends on them.
        """
        vectors = self._vectors.whole()
        found = {"effective_rank": effective_rank(vectors), "mean_std": mean_std(vectors)}
        if len(self._labels):
            labels = self._labels.whole()
            votes = votes_of_the_others(vectors, labels, num_classes=int(labels.max()) + 1)
            found["knn_top1"] = (votes.argmax(dim=1) == labels).float().mean().item()
        return found
