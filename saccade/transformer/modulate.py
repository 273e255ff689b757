"""Blocks that a condition (a time, a class) speaks to, by shift, scale and gate (adaLN-zero)."""

import torch.nn.functional as F
import torch.utils.checkpoint
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import init_linear
from saccade.transformer.linear import Linear
from saccade.transformer.mlp import GatedMlp, Mlp
from saccade.transformer.residual import DropPath, Gate, refuse_dead_branch


class Modulation(nn.Module):
    """From a condition to some vectors of the tokens' width, all zero at the start.

    Args:
        embed_dim: the width D of the condition and of the tokens.
        num_parts: how many vectors.
    """

    def __init__(self, embed_dim: int, *, num_parts: int) -> None:
        super().__init__()
        self.num_parts = num_parts
        self.project = Linear(embed_dim, num_parts * embed_dim)
        self.start_at_zero()

    def forward(self, condition: Float[Tensor, "B D"]) -> tuple[Float[Tensor, "B 1 D"], ...]:
        """The vectors, each to be spread over the tokens of its picture."""
        return self.project(F.silu(condition))[:, None].chunk(self.num_parts, dim=2)

    def start_at_zero(self) -> None:
        """Then every gate is shut, every block the identity, and no norm is moved."""
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)


class ModulatedBlock(nn.Module):
    """The transformer block of DiT (arXiv 2212.09748), whose gates the condition opens.

    Args:
        attention, mlp: the two branches.
        attention_gate, mlp_gate: their residual gates, beside those of the condition.
        modulation: of six parts: shift, scale and gate of each branch.
        embed_dim: the width of a token.
        drop_path: the share of pictures that skip a branch while training.
        norm_eps: keeps the norms' division away from zero.

    Raises:
        ValueError: a ReZero gate. The condition's gate starts at 0, as its alpha does, and of a
            product of two zeros neither learns.
    """

    def __init__(
        self,
        *,
        attention: SelfAttention,
        mlp: Mlp | GatedMlp,
        attention_gate: Gate,
        mlp_gate: Gate,
        modulation: Modulation,
        embed_dim: int,
        drop_path: float,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__()
        refuse_dead_branch(modulation, attention_gate)
        refuse_dead_branch(modulation, mlp_gate)
        # Without numbers of their own: shift and scale come from the condition.
        self.attention_norm = nn.LayerNorm(embed_dim, eps=norm_eps, elementwise_affine=False)
        self.attention = attention
        self.attention_gate = attention_gate
        self.mlp_norm = nn.LayerNorm(embed_dim, eps=norm_eps, elementwise_affine=False)
        self.mlp = mlp
        self.mlp_gate = mlp_gate
        self.modulation = modulation
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tokens, condition: Float[Tensor, "B D"]) -> Tokens:
        """Two residual lines: ``x + gate * f(scale * norm(x) + shift)``."""
        x = tokens.x  # B N D
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self.modulation(condition)  # B 1 D
        looked = modulate(self.attention_norm(x), shift=shift, scale=scale)  # B N D
        attended = self.attention_gate(self.attention(tokens.with_x(looked)))  # B N D
        x = x + self.drop_path(gate * attended)  # B N D
        thought = self.mlp(modulate(self.mlp_norm(x), shift=mlp_shift, scale=mlp_scale))  # B N D
        x = x + self.drop_path(mlp_gate * self.mlp_gate(thought))  # B N D
        return tokens.with_x(x)


class ModulatedBlocks(nn.ModuleList):
    """Modulated blocks in turn.

    Attributes:
        recompute: as of ``Blocks``.
    """

    recompute = False

    def forward(self, tokens: Tokens, condition: Float[Tensor, "B D"]) -> Tokens:
        """Applies one after the other."""
        for block in self:
            tokens = (
                _recomputed(block, tokens, condition)
                if self.recompute and self.training
                else block(tokens, condition)
            )
        return tokens


def modulate(
    x: Float[Tensor, "B N D"], *, shift: Float[Tensor, "B 1 D"], scale: Float[Tensor, "B 1 D"]
) -> Float[Tensor, "B N D"]:
    """``x (1 + scale) + shift``: nothing changes while both are zero."""
    return x * (1 + scale) + shift


def init_modulated(module: nn.Module) -> None:
    """As ``init_linear``, and every modulation at zero; use as ``model.apply(init_modulated)``.

    ``apply`` comes to a module after its parts, so the zeros of a modulation stay.
    """
    init_linear(module)
    if isinstance(module, Modulation):
        module.start_at_zero()


def _recomputed(block: nn.Module, tokens: Tokens, condition: Tensor) -> Tokens:
    def run(x: Float[Tensor, "B N D"], condition: Float[Tensor, "B D"]) -> Float[Tensor, "B N D"]:
        return block(tokens.with_x(x), condition).x

    x = torch.utils.checkpoint.checkpoint(run, tokens.x, condition, use_reentrant=False)
    assert isinstance(x, Tensor)
    return tokens.with_x(x)
