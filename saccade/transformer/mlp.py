"""What a block does to each token alone."""

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.config.model import Activation
from saccade.transformer.linear import Linear


class Mlp(nn.Module):
    """Two linear maps with an activation between."""

    def __init__(self, embed_dim: int, *, hidden_dim: int, activation: Activation = "gelu") -> None:
        super().__init__()
        self.widen = Linear(embed_dim, hidden_dim)
        self.activation = activation_function(activation)
        self.narrow = Linear(hidden_dim, embed_dim)

    def forward(self, x: Float[Tensor, "B N D"]) -> Float[Tensor, "B N D"]:
        """Widens, bends, narrows."""
        return self.narrow(self.activation(self.widen(x)))


class GatedMlp(nn.Module):
    """Two hidden vectors, one bent to be the gate of the other (arXiv 2002.05202).

    With ``silu`` this is SwiGLU. ``widen`` makes both at once, the gate first.
    """

    def __init__(self, embed_dim: int, *, hidden_dim: int, activation: Activation) -> None:
        super().__init__()
        self.widen = Linear(embed_dim, 2 * hidden_dim)
        self.activation = activation_function(activation)
        self.narrow = Linear(hidden_dim, embed_dim)

    def forward(self, x: Float[Tensor, "B N D"]) -> Float[Tensor, "B N D"]:
        """Widens twice, gates, narrows."""
        gate, value = self.widen(x).chunk(2, dim=-1)
        return self.narrow(self.activation(gate) * value)


def activation_function(name: Activation) -> Callable[[Tensor], Tensor]:
    """The function of that name.

    ``gelu_tanh`` is the approximation that JAX takes by default, ``quick_gelu`` that of CLIP; both
    differ from ``gelu`` by up to 0.02, so weights need the one they were trained with.
    """
    match name:
        case "gelu":
            return F.gelu
        case "gelu_tanh":
            return _gelu_tanh
        case "quick_gelu":
            return _quick_gelu
        case "silu":
            return F.silu


def _gelu_tanh(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


def _quick_gelu(x: Tensor) -> Tensor:
    return x * (1.702 * x).sigmoid()
