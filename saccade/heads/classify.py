"""Which class a picture belongs to."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class ClassLogits:
    """What a classification head returns.

    Attributes:
        logits: before the softmax; never probabilities.
    """

    logits: Float[Tensor, "B K"]


class ClassHead(nn.Module):
    """Pools the tokens and maps them to one number per class.

    Args:
        embed_dim: the width D of the tokens.
        num_classes: K.
        pool: ``mean`` of the patches, the safe choice when training from scratch, or the first
            prefix token (``class``).
    """

    def __init__(self, embed_dim: int, *, num_classes: int, pool: Literal["mean", "class"]) -> None:
        super().__init__()
        self.pool = pool
        self.classify = nn.Linear(embed_dim, num_classes)
        # Zero logits at the start: every class is equally likely and the first loss is log K.
        nn.init.zeros_(self.classify.weight)
        nn.init.zeros_(self.classify.bias)

    def forward(self, tokens: Tokens) -> ClassLogits:
        """Logits of each picture."""
        pooled = tokens.patches.mean(dim=1) if self.pool == "mean" else tokens.prefix[:, 0]  # B D
        return ClassLogits(logits=self.classify(pooled))  # B K
