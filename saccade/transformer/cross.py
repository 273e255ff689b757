"""Cross-attention: queries that look at something else than themselves."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from saccade.config.model import AttentionPath
from saccade.transformer.attend import attend, fastest_path, softmax_scale
from saccade.transformer.linear import Linear


class CrossAttention(nn.Module):
    """Multi-head attention of one sequence to another.

    Args:
        embed_dim: the width D of the queries and of what comes out.
        context_dim: the width of the tokens looked at.
        num_heads: heads A; must divide ``embed_dim``.
        path: fused, explicit, or auto.

    Raises:
        ValueError: the heads do not divide the width.
    """

    def __init__(
        self, embed_dim: int, *, context_dim: int, num_heads: int, path: AttentionPath
    ) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"embed_dim {embed_dim} cannot be shared by {num_heads} heads evenly")
        self.num_heads = num_heads
        self.path: AttentionPath = path
        self.q = Linear(embed_dim, embed_dim)
        self.kv = Linear(context_dim, 2 * embed_dim)
        self.proj = Linear(embed_dim, embed_dim)

    def forward(
        self,
        query_tokens: Float[Tensor, "B Q D"],
        context: Float[Tensor, "B M D2"],
        mask: Bool[Tensor, "#B 1 #Q M"] | None = None,
    ) -> Float[Tensor, "B Q D"]:
        """Each query gathers what it finds in the context, where the mask (if any) is True."""
        q = self.q(query_tokens).unflatten(2, (self.num_heads, -1)).transpose(1, 2)  # B A Q E
        k, v = self.kv(context).unflatten(2, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        q = (q * softmax_scale(q.shape[-1])).to(v.dtype)
        path = fastest_path(self.path, device=q.device, dtype=v.dtype, num_tokens=k.shape[2])
        return self.proj(attend(q, k, v, path=path, mask=mask).transpose(1, 2).flatten(2))
