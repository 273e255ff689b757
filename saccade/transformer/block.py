"""The transformer block: two residual lines."""

from jaxtyping import Float
from torch import Tensor, nn

from saccade.config.model import AttentionPath, Residual
from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import SelfAttention
from saccade.transformer.residual import DropPath, Gate, make_gate, refuse_dead_branch
from saccade.transformer.trace import Trace


class Mlp(nn.Module):
    """Two linear maps with a GELU between; works on each token alone."""

    def __init__(self, embed_dim: int, *, hidden_dim: int) -> None:
        super().__init__()
        self.widen = nn.Linear(embed_dim, hidden_dim)
        self.activation = nn.GELU()
        self.narrow = nn.Linear(hidden_dim, embed_dim)

    def forward(self, x: Float[Tensor, "B N D"]) -> Float[Tensor, "B N D"]:
        """Widens, bends, narrows."""
        return self.narrow(self.activation(self.widen(x)))


class Block(nn.Module):
    """Attention, then an MLP, each normalised first and added back under a residual rule.

    Args:
        attention, mlp: the two branches.
        attention_gate, mlp_gate: their residual gates.
        embed_dim: the width of a token.
        drop_path: the share of pictures that skip a branch while training.

    Raises:
        ValueError: a ReZero gate over a branch whose last layer is zero (see
            ``refuse_dead_branch``).
    """

    def __init__(
        self,
        *,
        attention: SelfAttention,
        mlp: Mlp,
        attention_gate: Gate,
        mlp_gate: Gate,
        embed_dim: int,
        drop_path: float,
    ) -> None:
        super().__init__()
        refuse_dead_branch(attention, attention_gate)
        refuse_dead_branch(mlp, mlp_gate)
        self.attention_norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.attention = attention
        self.attention_gate = attention_gate
        self.mlp_norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.mlp = mlp
        self.mlp_gate = mlp_gate
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tokens, trace: Trace | None = None) -> Tokens:
        """Two residual lines: ``x + gate(attention(norm(x)))``, then the same with the MLP."""
        x = tokens.x  # B N D
        attended = self.attention(
            self.attention_norm(x), num_prefix=tokens.num_prefix, grid=tokens.grid, trace=trace
        )
        x = x + self.drop_path(self.attention_gate(attended))  # B N D
        x = x + self.drop_path(self.mlp_gate(self.mlp(self.mlp_norm(x))))  # B N D
        tokens = tokens.with_x(x)
        if trace is not None:
            trace.layers[-1].alpha = self.attention_gate.strength
            trace.layers[-1].tokens = tokens
        return tokens


def make_blocks(
    *,
    embed_dim: int,
    depth: int,
    num_heads: int,
    mlp_ratio: float,
    residual: Residual,
    drop_path: float,
    attention: AttentionPath,
) -> nn.ModuleList:
    """``depth`` equal blocks; the drop-path rate grows linearly from 0 to ``drop_path``."""
    return nn.ModuleList(
        Block(
            attention=SelfAttention(embed_dim, num_heads=num_heads, path=attention),
            mlp=Mlp(embed_dim, hidden_dim=round(embed_dim * mlp_ratio)),
            attention_gate=make_gate(residual, embed_dim),
            mlp_gate=make_gate(residual, embed_dim),
            embed_dim=embed_dim,
            drop_path=drop_path * index / max(depth - 1, 1),
        )
        for index in range(depth)
    )


def init_linear(module: nn.Module) -> None:
    """Initialises one module of a transformer; use as ``model.apply(init_linear)``.

    Xavier uniform keeps the variance of a signal at any width; the 0.02 of BERT suits a width near
    768 and leaves narrow models with branches that hardly speak. Biases at zero.
    """
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
