"""How a branch is added back to its input.

All three rules are ``x + gate(f(x))``. They differ in the gate: nothing (pre-norm, arXiv
2002.04745), one learned number that starts at 0 (ReZero, arXiv 2003.04887), or one learned number
per channel that starts small (LayerScale, arXiv 2103.17239).
"""

import torch
from jaxtyping import Float, Int32
from torch import Tensor, nn

from saccade.config.model import Residual


class Plain(nn.Module):
    """The branch as it is: ``x + f(x)``."""

    def forward(self, branch: Float[Tensor, "B N D"]) -> Float[Tensor, "B N D"]:
        """Returns the branch unchanged."""
        return branch

    @property
    def strength(self) -> float:
        """The factor on the branch: 1."""
        return 1.0


class ReZero(nn.Module):
    """``x + alpha * f(x)``, alpha one learned number that starts at 0 (arXiv 2003.04887).

    At the first step every block is the identity, so depth costs nothing in stability. Only alpha
    has a gradient then; the branch follows one step later.
    """

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, branch: Float[Tensor, "B N D"]) -> Float[Tensor, "B N D"]:
        """Scales the branch."""
        return branch * self.alpha

    @property
    def strength(self) -> float:
        """The factor on the branch: alpha, which may be negative."""
        return self.alpha.item()


class LayerScale(nn.Module):
    """``x + gamma * f(x)``, gamma one learned number per channel (arXiv 2103.17239)."""

    def __init__(self, embed_dim: int, *, initial: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((embed_dim,), initial))

    def forward(self, branch: Float[Tensor, "B N D"]) -> Float[Tensor, "B N D"]:
        """Scales each channel of the branch."""
        return branch * self.gamma

    @property
    def strength(self) -> float:
        """The mean size of the factors."""
        return self.gamma.abs().mean().item()


Gate = Plain | ReZero | LayerScale


def make_gate(rule: Residual, embed_dim: int) -> Gate:
    """The gate of one branch under a residual rule; LayerScale starts at 1e-4."""
    match rule:
        case "prenorm":
            return Plain()
        case "rezero":
            return ReZero()
        case "layerscale":
            return LayerScale(embed_dim, initial=1e-4)


def refuse_dead_branch(branch: nn.Module, gate: Gate) -> None:
    """Refuses a branch that could never learn.

    A gate that starts at 0 times an output layer that starts at 0 gives both exactly no gradient:
    ``d(alpha w h) / d(alpha) = w h = 0`` and ``d(alpha w h) / d(w) = alpha h = 0``, for ever.
    Training would go on with fewer layers and nobody would notice.

    Raises:
        ValueError: the gate is zero and the weight of the branch's last layer is zero too.
    """
    if not isinstance(gate, ReZero) or gate.alpha.is_meta:  # its numbers come later
        return
    *_, last = (m for m in branch.modules() if isinstance(m, nn.Linear | nn.Conv2d))
    if gate.alpha.item() == 0 and not last.weight.any():
        raise ValueError(
            "a ReZero branch starts with alpha = 0 and the last layer of the branch starts with "
            "zero weights; 0 * 0 gives neither a gradient, so the branch could never learn. "
            "Start one of the two away from zero"
        )


class DropPath(nn.Module):
    """Leaves a branch out for some pictures of the batch while training (arXiv 1603.09382).

    Args:
        rate: the share of pictures, from 0 to below 1; the others grow by ``1 / (1 - rate)``.

    Raises:
        ValueError: the rate is not such a share.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"drop_path is {rate}; it is a share, 0 or more and below 1")
        self.rate = rate

    def forward(
        self,
        branch: Float[Tensor, "B N D"],
        bounds: Int32[Tensor, " pictures_and_1"] | None = None,
    ) -> Float[Tensor, "B N D"]:
        """Zeroes the branch of some pictures; the identity in evaluation.

        Args:
            branch: of each picture; or of all, one after the other.
            bounds: in the second case, where each picture begins, and where the last one ends.
        """
        if self.rate == 0 or not self.training:
            return branch
        num_pictures = len(branch) if bounds is None else len(bounds) - 1
        keep = torch.rand(num_pictures, 1, 1, device=branch.device) >= self.rate
        if bounds is not None:
            num_tokens = branch.shape[1]
            keep = keep.repeat_interleave(bounds.diff(), dim=0, output_size=num_tokens)
            keep = keep.transpose(0, 1)  # 1 N 1
        return branch * keep / (1 - self.rate)
