"""A measured figure and the range the true one lies in, in 95 of 100 repetitions."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Z_95 = 1.959963984540054  # the normal quantile at 0.975
_CHUNK_CELLS = 4_000_000  # float64 numbers held at once while resampling: 32 MB


@dataclass(frozen=True)
class Estimate:
    """One figure with its 95 % interval, all three in the figure's own unit.

    Attributes:
        value: the figure on the pictures that were measured.
        low: lower end of the interval; never above ``value``.
        high: upper end of the interval; never below ``value``.
    """

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """The three numbers by name."""
        return {"value": self.value, "low": self.low, "high": self.high}


def wilson(successes: int, n: int) -> Estimate:
    """A share of pictures with its Wilson score interval.

    Unlike ``value +- 1.96 standard errors`` it stays inside [0, 1] and stays honest near both ends:
    20 right out of 20 gives a lower end of 0.84, not 1. Source: Brown, Cai and DasGupta, "Interval
    Estimation for a Binomial Proportion", Statistical Science 16 (2001).

    Args:
        successes: how many pictures had the property, 0 to ``n``.
        n: how many pictures were measured, at least 1.

    Returns:
        The share in [0, 1] and its interval.
    """
    assert 0 <= successes <= n
    assert n >= 1
    share = successes / n
    shrink = 1 + Z_95**2 / n
    centre = (share + Z_95**2 / (2 * n)) / shrink
    half = Z_95 * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2)) / shrink
    # At 0 and n successes the ends are exactly 0 and 1; rounding may miss them by 1e-17.
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def resample_weights(
    n: int, *, num_resamples: int, generator: np.random.Generator
) -> Iterator[Float[np.ndarray, "R n"]]:
    """Draws bootstrap samples, as how often each of the ``n`` pictures was drawn.

    The plain version, one resample at a time::

        np.bincount(generator.integers(n, size=n), minlength=n)

    Args:
        n: number of pictures.
        num_resamples: how many samples of ``n`` pictures to draw, with replacement.
        generator: the source of randomness.

    Yields:
        Counts for some of the resamples (rows sum to ``n``), few enough rows to fit in 32 MB.
    """
    rows = max(1, _CHUNK_CELLS // n)
    for start in range(0, num_resamples, rows):
        count = min(rows, num_resamples - start)
        drawn = generator.integers(n, size=(count, n)) + n * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n).astype(np.float64)


def percentile_estimate(value: float, resampled: Float[np.ndarray, " R"]) -> Estimate:
    """The 2.5 and 97.5 percentiles of a bootstrapped figure.

    Figures that cannot go below their optimum by chance (a calibration error above all) come out
    worse in resamples than in the sample itself, so the interval is widened to hold ``value``.

    Args:
        value: the figure on all pictures.
        resampled: the same figure on each resample.

    Returns:
        The figure and its interval.
    """
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value))


def mean_estimate(values: Float[np.ndarray, " n"]) -> Estimate:
    """The mean of figures of single pictures, with an interval from 500 draws of them."""
    exact = values.astype(np.float64)
    weights = resample_weights(len(exact), num_resamples=500, generator=np.random.default_rng(0))
    means = np.concatenate([w @ exact / len(exact) for w in weights])
    return percentile_estimate(float(exact.mean()), means)
