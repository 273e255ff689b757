"""Which class a picture belongs to."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.config.model import Pool
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
        pool: ``mean`` of the patches, the safe choice when training from scratch; the first prefix
            token (``class``); both, one beside the other (``class_and_mean``, as DINOv2 reads); or
            ``distilled``: the class token and the one after it by a head each, averaged (DeiT,
            arXiv 2012.12877).
        norm_eps: of a norm after pooling; None where the backbone has normalised the tokens.
    """

    def __init__(
        self, embed_dim: int, *, num_classes: int, pool: Pool, norm_eps: float | None = None
    ) -> None:
        super().__init__()
        self.pool: Pool = pool
        width = 2 * embed_dim if pool == "class_and_mean" else embed_dim
        self.norm = nn.Identity() if norm_eps is None else nn.LayerNorm(width, eps=norm_eps)
        self.classify = _zero_linear(width, num_classes)
        self.classify_distilled = (
            _zero_linear(embed_dim, num_classes) if pool == "distilled" else None
        )

    def forward(self, tokens: Tokens) -> ClassLogits:
        """Logits of each picture."""
        logits = self.classify(self.norm(pooled(tokens, self.pool)))  # B K
        if self.classify_distilled is not None:
            logits = (logits + self.classify_distilled(self.norm(tokens.prefix[:, 1]))) / 2
        return ClassLogits(logits=logits)


def pooled(tokens: Tokens, pool: Pool) -> Float[Tensor, "B D2"]:
    """One vector per picture, as a head of this kind reads it."""
    match pool:
        case "mean":
            return tokens.patches.mean(dim=1)
        case "class" | "distilled":
            return tokens.prefix[:, 0]
        case "class_and_mean":
            return torch.cat([tokens.prefix[:, 0], tokens.patches.mean(dim=1)], dim=1)


def _zero_linear(width: int, num_classes: int) -> nn.Linear:
    """Zero logits at the start: every class is equally likely and the first loss is log K."""
    linear = nn.Linear(width, num_classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
