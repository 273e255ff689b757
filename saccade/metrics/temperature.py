"""One number that makes probabilities keep their word."""

import numpy as np
from jaxtyping import Float, Int64

LOWEST, HIGHEST = 0.05, 20.0
"""Temperatures looked at; held-out pictures that ask for another say little about probabilities."""

_HALVINGS = 60  # of the logarithm of a factor 400: to 5e-18, below what float64 can tell


def fit_temperature(logits: Float[np.ndarray, "n K"], labels: Int64[np.ndarray, " n"]) -> float:
    """The divisor of the logits that gives held-out pictures the smallest log loss.

    The class predicted stays the same, so accuracy does not move (Guo et al., "On Calibration of
    Modern Neural Networks", arXiv 1706.04599). The log loss is convex in 1 / T, since it is a sum
    of log-sum-exps of linear functions of it. So its slope crosses 0 once, and halving finds the
    place for certain, in float64 and without a step size.

    One picture is added whose logits are like those of the others and whose class is any one of the
    K. Without it, a few held-out pictures that are all answered right would ask for T = 0 and for
    probabilities of exactly 1; among thousands it changes nothing that can be seen.

    Args:
        logits: of pictures that neither taught the weights nor will be used to judge them; finite.
        labels: their classes, 0 to K - 1.

    Returns:
        T in [``LOWEST``, ``HIGHEST``]; above 1 for a model that is too sure of itself.
    """
    assert len(logits) >= 1
    z = logits.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    truth = z[np.arange(len(z)), labels].sum() + z.mean(axis=1).mean()
    low, high = -np.log(HIGHEST), -np.log(LOWEST)  # of log(1 / T)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        expected = _expected(z, np.exp(middle))
        if expected.sum() + expected.mean() > truth:  # the loss grows with 1 / T from here on
            high = middle
        else:
            low = middle
    return float(np.exp(-(low + high) / 2))


def _expected(z: Float[np.ndarray, "n K"], inverse: float) -> Float[np.ndarray, " n"]:
    """The mean of each row's logits under its own softmax at 1 / T = ``inverse``."""
    weights = np.exp(inverse * z)
    return (weights * z).sum(axis=1) / weights.sum(axis=1)
