"""A notebook that a forward pass fills in when somebody wants to look inside."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens

CHUNK_BYTES = 2**23
"""Memory for the rows of a map that are looked at together: 8 MiB, which fits in a CPU's cache.

Measured at 4,096 tokens and 6 heads on one core: 64 MiB take twice as long, 0.5 MiB half as long
again.
"""


@dataclass(kw_only=True)
class TracedLayer:
    """One attention layer as it ran, on either path.

    The N x N map is not kept, and was never formed on the fused path: queries and keys are enough
    to form any rows of it, and values to form any rows of its gradient.

    Attributes:
        q, k, v: what attention was given; q times the scale of the scores.
        context: what attention gave back; part of the autograd graph, so gradients reach it.
        mask: who was allowed to look at whom; None: everybody at everybody.
        alpha: the factor on this layer's branch (ReZero's alpha; 1 for a plain residual).
        num_prefix, grid: as in the ``Tokens`` that this layer saw.
        tokens: the layer's output where the backbone's norm and the head can read it (all blocks
            share one width), else None.
    """

    q: Float[Tensor, "B A N E"]
    k: Float[Tensor, "B A N E"]
    v: Float[Tensor, "B A N E"]
    context: Float[Tensor, "B A N E"]
    mask: Bool[Tensor, "#B 1 #N N"] | None
    alpha: float
    num_prefix: int
    grid: Grid
    tokens: Tokens | None = None

    def attention(self, rows: slice = slice(None)) -> Float[Tensor, "B A n N"]:
        """Rows of the map, each a distribution over the tokens looked at."""
        scores = self.q[:, :, rows] @ self.k.transpose(-2, -1)
        mask = self._mask(rows)
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1)
        return weights if mask is None else weights * mask

    def attention_gradient(
        self, gradient: Float[Tensor, "B A N E"], rows: slice = slice(None)
    ) -> Float[Tensor, "B A n N"]:
        """Rows of the gradient of the map, from the gradient of ``context``.

        The context is ``map @ v``, so the gradient of the map is ``gradient @ v^T``: no map is
        needed for it, and no explicit path.
        """
        found = gradient[:, :, rows] @ self.v.transpose(-2, -1)
        mask = self._mask(rows)
        return found if mask is None else found * mask

    def chunks(self) -> Iterator[slice]:
        """All rows, in pieces whose maps fit in ``CHUNK_BYTES``."""
        batch, heads, num_tokens, _ = self.q.shape
        row_bytes = batch * heads * self.k.shape[2] * self.q.element_size()
        size = max(1, CHUNK_BYTES // row_bytes)
        for start in range(0, num_tokens, size):
            yield slice(start, min(start + size, num_tokens))

    def _mask(self, rows: slice) -> Tensor | None:
        if self.mask is None or self.mask.shape[2] == 1:
            return self.mask
        return self.mask[:, :, rows]


@dataclass
class Trace:
    """Pass one to a backbone's ``forward`` and read ``layers`` afterwards.

    It changes nothing in how attention is computed. Memory: queries, keys, values and context of
    each layer, linear in the number of tokens.
    """

    layers: list[TracedLayer] = field(default_factory=list)
