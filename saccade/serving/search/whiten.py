"""Whitening: every direction in which a gallery varies counts alike."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float32, Float64
from torch import Tensor

MOST_FITTED = 50_000
"""Vectors that a fit looks at, evenly spaced over the gallery."""

LEAST_VARIANCE = 1e-5
"""Share of the largest variance below which a direction holds rounding errors and no data."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Whitening:
    """A map from vectors to whitened ones, fitted on a gallery.

    Attributes:
        mean: of the gallery.
        matrix: what a vector without the mean is multiplied by; d of the D directions are left.
        shrinkage: 0: as the gallery varies, 1: the gallery is too small to say, so only the mean
            is taken away.
    """

    mean: Float32[Tensor, " D"]
    matrix: Float32[Tensor, "D d"]
    shrinkage: float

    def __call__(self, vectors: Float32[np.ndarray, "n D"]) -> Float32[np.ndarray, "n d"]:
        """Whitened vectors of unit length; one that is exactly the mean becomes zeros."""
        whitened = (torch.from_numpy(vectors) - self.mean) @ self.matrix
        return F.normalize(whitened, dim=1).numpy()

    def direction(self, weights: Float32[np.ndarray, "K D"]) -> Float32[np.ndarray, "K d"]:
        """What linear maps of vectors are as maps of whitened ones, at unit length.

        ``weights . v = weights . mean + direction . whitened``, up to the length that whitened
        vectors have lost, and up to the directions that were left out.
        """
        turned = torch.from_numpy(weights) @ torch.linalg.pinv(self.matrix).T
        return F.normalize(turned, dim=1).numpy()


def identity(embed_dim: int) -> Whitening:
    """Leaves vectors as they are."""
    return Whitening(mean=torch.zeros(embed_dim), matrix=torch.eye(embed_dim), shrinkage=1.0)


def fit(vectors: Float32[np.ndarray, "n D"]) -> Whitening:
    """Principal directions of a gallery, each divided by how far the gallery spreads along it.

    No labels are needed. A small gallery does not show how it spreads: its covariance is drawn
    towards that of a ball, by as much as makes it most likely right (Ledoit and Wolf, "A
    well-conditioned estimator for large-dimensional covariance matrices", 2004). Directions in
    which it does not spread at all are left out, since dividing by nothing makes noise of it.

    Args:
        vectors: at least two.
    """
    assert len(vectors) >= 2
    rows = np.linspace(0, len(vectors) - 1, min(len(vectors), MOST_FITTED)).astype(int)
    x = torch.from_numpy(np.ascontiguousarray(vectors[rows])).double()
    mean = x.mean(dim=0)
    x -= mean
    covariance = x.T @ x / len(x)
    shrinkage = _shrinkage(x, covariance)
    variance, directions = torch.linalg.eigh(covariance)
    is_real = variance > LEAST_VARIANCE * variance[-1].clamp(min=1e-12)
    drawn = (1 - shrinkage) * variance + shrinkage * variance.mean()
    matrix = (directions * drawn.rsqrt())[:, is_real].flip(1)  # the widest direction first
    return Whitening(mean=mean.float(), matrix=matrix.float().contiguous(), shrinkage=shrinkage)


def _shrinkage(x: Float64[Tensor, "n D"], covariance: Float64[Tensor, "D D"]) -> float:
    """How far towards the ball, from 0 to 1: error of the covariance over its distance from one.

    The plain version::

        ball = trace(covariance) / D * eye(D)
        error = sum(norm(outer(v, v) - covariance) ** 2 for v in x) / n**2
        shrinkage = min(1, error / norm(covariance - ball) ** 2)
    """
    n, width = x.shape
    ball = covariance.trace() / width
    distance = (covariance - ball * torch.eye(width, dtype=torch.float64)).square().sum()
    # The sum over v of |v v' - C|^2 is the sum of |v|^4, less n |C|^2.
    error = (x.square().sum(dim=1).square().sum() / n - covariance.square().sum()) / n
    return 1.0 if distance <= error else (error / distance).item()
