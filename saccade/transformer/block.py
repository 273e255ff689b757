"""The transformer block: two residual lines."""

from collections.abc import Iterator

import torch.utils.checkpoint
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.packing import AnyTokens, PackedTokens
from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import SelfAttention
from saccade.transformer.mlp import GatedMlp, Mlp
from saccade.transformer.residual import DropPath, Gate, refuse_dead_branch
from saccade.transformer.trace import Trace


class Block(nn.Module):
    """Attention, then an MLP, each normalised first and added back under a residual rule.

    Args:
        attention, mlp: the two branches.
        attention_gate, mlp_gate: their residual gates.
        embed_dim: the width of a token.
        drop_path: the share of pictures that skip a branch while training.
        norm_eps: keeps the norms' division away from zero.

    Raises:
        ValueError: a ReZero gate over a branch whose last layer is zero (see
            ``refuse_dead_branch``).
    """

    def __init__(
        self,
        *,
        attention: SelfAttention,
        mlp: Mlp | GatedMlp,
        attention_gate: Gate,
        mlp_gate: Gate,
        embed_dim: int,
        drop_path: float,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__()
        refuse_dead_branch(attention, attention_gate)
        refuse_dead_branch(mlp, mlp_gate)
        self.attention_norm = nn.LayerNorm(embed_dim, eps=norm_eps)
        self.attention = attention
        self.attention_gate = attention_gate
        self.mlp_norm = nn.LayerNorm(embed_dim, eps=norm_eps)
        self.mlp = mlp
        self.mlp_gate = mlp_gate
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: AnyTokens, trace: Trace | None = None) -> AnyTokens:
        """Two residual lines: ``x + gate(attention(norm(x)))``, then the same with the MLP."""
        x = tokens.x  # B N D
        bounds = tokens.bounds if isinstance(tokens, PackedTokens) else None
        attended = self.attention(tokens.with_x(self.attention_norm(x)), trace)  # B N D
        x = x + self.drop_path(self.attention_gate(attended), bounds)  # B N D
        x = x + self.drop_path(self.mlp_gate(self.mlp(self.mlp_norm(x))), bounds)  # B N D
        tokens = tokens.with_x(x)
        if trace is not None:
            assert isinstance(tokens, Tokens)  # attention traces no packed ones
            trace.layers[-1].alpha = self.attention_gate.strength
            trace.layers[-1].tokens = tokens
        return tokens


class Blocks(nn.ModuleList):
    """Blocks in turn.

    Attributes:
        recompute: while training, keep only what goes into each block and compute the rest again
            for the backward pass: memory for about a third more time (arXiv 1604.06174).
    """

    recompute = False

    def forward(self, tokens: AnyTokens, trace: Trace | None = None) -> AnyTokens:
        """Applies one after the other."""
        after = tokens
        for after in self.each(tokens, trace):  # noqa: B007 - only the last one is wanted
            pass
        return after

    def each(self, tokens: AnyTokens, trace: Trace | None = None) -> Iterator[AnyTokens]:
        """What comes out of each block in turn; a block runs when its tokens are asked for."""
        for block in self:
            tokens = self.run(block, tokens, trace)
            yield tokens

    def run(self, block: nn.Module, tokens: AnyTokens, trace: Trace | None = None) -> AnyTokens:
        """One of the blocks, for who does something between them; ``recompute`` holds here too."""
        return (
            self._recomputed(block, tokens) if self._saves_memory(trace) else block(tokens, trace)
        )

    def _saves_memory(self, trace: Trace | None) -> bool:
        return self.recompute and self.training and trace is None

    @staticmethod
    def _recomputed(block: nn.Module, tokens: AnyTokens) -> AnyTokens:
        def run(x: Float[Tensor, "B N D"]) -> Float[Tensor, "B N D"]:
            return block(tokens.with_x(x)).x

        x = torch.utils.checkpoint.checkpoint(run, tokens.x, use_reentrant=False)
        assert isinstance(x, Tensor)
        return tokens.with_x(x)


def init_linear(module: nn.Module) -> None:
    """Initialises one module of a transformer; use as ``model.apply(init_linear)``.

    Xavier uniform keeps the variance of a signal at any width; the 0.02 of BERT suits a width near
    768 and leaves narrow models with branches that hardly speak. Biases at zero.
    """
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
