"""What every backbone promises."""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


class Backbone(Protocol):
    """A module from normalised pictures of any size to tokens.

    Attributes:
        embed_dim: the width D of its tokens.
        patch_size: pixels per token along a side.
    """

    embed_dim: int
    patch_size: int

    def __call__(self, images: Float[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """Runs the backbone; fills in ``trace`` when one is given."""
        ...

    def parameters(self) -> object:
        """As every ``nn.Module``."""
        ...
