"""A notebook that a forward pass fills in when somebody wants to look inside."""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens


@dataclass(kw_only=True)
class TracedLayer:
    """One attention layer as it ran.

    Attributes:
        attention: the map, each row a distribution over the tokens attended to; part of the
            autograd graph, so gradients reach it.
        alpha: the factor on this layer's branch (ReZero's alpha; 1 for a plain residual).
        num_prefix, grid: as in the ``Tokens`` that this layer saw.
        tokens: the layer's output where the backbone's norm and the head can read it (all blocks
            share one width), else None.
    """

    attention: Float[Tensor, "B A N N"]
    alpha: float
    num_prefix: int
    grid: Grid
    tokens: Tokens | None = None


@dataclass
class Trace:
    """Pass one to a backbone's ``forward`` and read ``layers`` afterwards.

    Its presence makes attention take the explicit path, which keeps the map; the output is the
    same to rounding. Memory: one ``B A N N`` map per layer.
    """

    layers: list[TracedLayer] = field(default_factory=list)
