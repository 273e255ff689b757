"""How far one set of pictures is from another, by the features that some network sees in them.

Both distances are zero between two large halves of one set. They mean nothing by themselves: a
figure belongs beside that of real pictures (the floor) and that of noise (the ceiling), taken with
the same network on as many pictures.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float64

from saccade.metrics.intervals import Estimate, percentile_estimate

NUM_RESAMPLES = 100

FEWEST_PER_FEATURE = 20
"""Pictures for each feature below which a covariance, and so the Fréchet distance, is uncertain."""


def frechet(a: Float[np.ndarray, "_n F"], b: Float[np.ndarray, "_m F"]) -> float:
    """The Fréchet distance of two Gaussians that have the sets' means and covariances.

    ``|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2))`` (arXiv 1706.08500), in float64. The trace of
    the root is the sum of the roots of the eigenvalues of ``A^(1/2) B A^(1/2)``, which is
    symmetric, so that no complex numbers come up. It is biased: fewer pictures give a larger one.

    Args:
        a, b: a row per picture.

    Returns:
        At least 0, in the features' unit squared.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    gap = a.mean(axis=0) - b.mean(axis=0)
    cov_a, cov_b = _covariance(a), _covariance(b)
    root = _root(cov_a)
    shared = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(min=0)).sum()
    return max(0.0, float(gap @ gap + np.trace(cov_a) + np.trace(cov_b) - 2 * shared))


def kernel_distance(a: Float[np.ndarray, "_n F"], b: Float[np.ndarray, "_m F"]) -> float:
    """The squared mean discrepancy with the kernel ``(x . y / F + 1)^3`` (arXiv 1801.01401).

    Unbiased from two pictures on, so it may be a little below zero. In float64.

    Args:
        a, b: a row per picture.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (
        _mean_off_diagonal(_kernel(a, a))
        + _mean_off_diagonal(_kernel(b, b))
        - 2 * float(_kernel(a, b).mean())
    )


def with_interval(
    distance: Callable[[np.ndarray, np.ndarray], float],
    a: Float[np.ndarray, "_n F"],
    b: Float[np.ndarray, "_m F"],
    *,
    seed: int = 0,
) -> Estimate:
    """A distance with its 95 % interval, by halving both sets again and again.

    A bootstrap would draw pictures twice, and twins look like structure to a distance. Halves drawn
    without replacement do not (Politis and Romano, "Large Sample Confidence Regions Based on
    Subsamples", Annals of Statistics 22 (1994)). A half has half the pictures, which doubles a
    variance, and is drawn from finitely many, which halves it again: of a mean, ``s^2 / (n / 2) *
    (1 - 1 / 2)``. So the spread among halves is that of the whole as it is, and it is laid around
    the distance of the whole. Where a distance is zero but for chance it is too wide.

    Args:
        distance: ``frechet`` or ``kernel_distance``.
        a, b: a row per picture.
        seed: decides the halves.
    """
    generator = np.random.default_rng(seed)
    halves = np.array(
        [distance(_half(a, generator), _half(b, generator)) for _ in range(NUM_RESAMPLES)]
    )
    value = distance(a, b)
    return percentile_estimate(value, value + halves - halves.mean())


def nearest(a: Float[np.ndarray, "n F"], b: Float[np.ndarray, "_m F"]) -> Float64[np.ndarray, " n"]:
    """For each row of ``a`` the Euclidean distance to the nearest row of ``b``."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    rows = max(1, 4_000_000 // len(b))
    return np.concatenate(
        [np.sqrt(_squared(a[k : k + rows], b).min(axis=1)) for k in range(0, len(a), rows)]
    )


def nearest_row(a: Float[np.ndarray, " F"], b: Float[np.ndarray, "m F"]) -> int:
    """Which row of ``b`` is nearest to a vector."""
    return int(np.square(b.astype(np.float64) - a).sum(axis=1).argmin())


def _covariance(x: Float64[np.ndarray, "n F"]) -> Float64[np.ndarray, "F F"]:
    if len(x) == 1:  # nothing to vary
        return np.zeros((x.shape[1], x.shape[1]))
    return np.atleast_2d(np.cov(x, rowvar=False))


def _root(covariance: Float64[np.ndarray, "F F"]) -> Float64[np.ndarray, "F F"]:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(values.clip(min=0))) @ vectors.T


def _kernel(
    a: Float64[np.ndarray, "_n F"], b: Float64[np.ndarray, "_m F"]
) -> Float64[np.ndarray, "_n _m"]:
    kernel = a @ b.T / a.shape[1] + 1
    return kernel * kernel * kernel  # a power is several times as slow


def _mean_off_diagonal(kernel: Float64[np.ndarray, "n n"]) -> float:
    n = len(kernel)
    if n == 1:  # there is no other picture to be like
        return float(kernel[0, 0])
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))


def _half(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return x[generator.permutation(len(x))[: max(2, len(x) // 2)]]


def _squared(
    a: Float64[np.ndarray, "_n F"], b: Float64[np.ndarray, "_m F"]
) -> Float64[np.ndarray, "_n _m"]:
    """Squared distances, at least 0 in spite of rounding."""
    lengths = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)
    return (lengths - 2 * a @ b.T).clip(min=0)
