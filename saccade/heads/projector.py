"""From the vector of a view to one that a loss may bend, and that is left behind afterwards."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.transformer.linear import Linear


class Projector(nn.Module):
    """Three linear maps, the hidden numbers normalised over the batch.

    What the loss asks of a vector, such as to forget colours, is done here rather than in the
    backbone; without it a linear probe loses points (arXiv 2002.05709, 2511.08544).

    Args:
        width: of the vectors that the backbone's tokens are pooled to.
        hidden_dim: of both hidden layers.
        out_dim: of the vectors that the loss sees.
    """

    def __init__(self, width: int, *, hidden_dim: int, out_dim: int) -> None:
        super().__init__()
        self.project = nn.Sequential(
            Linear(width, hidden_dim, bias=False),
            nn.BatchNorm1d(hidden_dim),
            nn.ReLU(),
            Linear(hidden_dim, hidden_dim, bias=False),
            nn.BatchNorm1d(hidden_dim),
            nn.ReLU(),
            Linear(hidden_dim, out_dim),
        )

    def forward(self, vectors: Float[Tensor, "B D"]) -> Float[Tensor, "B D2"]:
        """The vectors given are normalised together while training."""
        return self.project(vectors)


class Prototypes(nn.Module):
    """Three linear maps to a direction, and its cosines with learned ones (arXiv 2104.14294).

    Args:
        width: of the vectors that the backbone's tokens are pooled to.
        hidden_dim: of both hidden layers.
        out_dim: of the directions.
        num_prototypes: K.
    """

    def __init__(self, width: int, *, hidden_dim: int, out_dim: int, num_prototypes: int) -> None:
        super().__init__()
        self.project = nn.Sequential(
            Linear(width, hidden_dim),
            nn.GELU(),
            Linear(hidden_dim, hidden_dim),
            nn.GELU(),
            Linear(hidden_dim, out_dim),
        )
        self.prototypes = Linear(out_dim, num_prototypes, bias=False)

    def forward(self, vectors: Float[Tensor, "B D"]) -> Float[Tensor, "B K"]:
        """Cosines in fp32, -1 to 1, to be divided by a temperature."""
        projected = self.project(vectors)
        with torch.autocast(vectors.device.type, enabled=False):
            directions = F.normalize(projected.float(), dim=1)
            return F.linear(directions, F.normalize(self.prototypes.weight, dim=1))
