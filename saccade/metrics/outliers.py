"""How well a score tells pictures of known kinds from pictures of others."""

import numpy as np
from jaxtyping import Float

from saccade.metrics.intervals import Z_95, Estimate, percentile_estimate, wilson

KEPT = 0.95
"""The share of known pictures that is let through where false positives are counted."""

NUM_RESAMPLES = 2000


def auroc(known: Float[np.ndarray, " n"], unknown: Float[np.ndarray, " m"]) -> Estimate:
    """How often a known picture scores higher than an unknown one; equal scores count half.

    The plain version::

        np.mean([(a > b) + 0.5 * (a == b) for a in known for b in unknown])

    The interval is DeLong's: the variance of the mean over known pictures of the share of unknown
    ones that each beats, and the same the other way round (DeLong, DeLong and Clarke-Pearson,
    Biometrics 44, 1988). It is cut at 0 and 1. Where the two sets do not overlap at all that
    variance is 0, and the interval is Wilson's for as many pictures as the smaller set has.

    Args:
        known, unknown: the higher a score, the more familiar the picture; finite, none empty.

    Returns:
        In [0, 1]; 0.5 where the score knows nothing, below where it is wrong way round.
    """
    beaten = _beaten(known, unknown)
    lost = 1 - _beaten(unknown, known)
    value = float(beaten.mean())
    variance = sum(float(x.var(ddof=1)) / len(x) for x in (beaten, lost) if len(x) > 1)
    if value in (0, 1):
        fewer = min(len(known), len(unknown))
        return wilson(fewer * int(value), fewer)
    half = Z_95 * variance**0.5
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def false_positives(known: Float[np.ndarray, " n"], unknown: Float[np.ndarray, " m"]) -> Estimate:
    """FPR95: the share of unknown pictures let through where 95 % of the known ones are.

    The interval is a bootstrap of both sets. A resample of the known scores matters only by the one
    at which the limit lies, whose rank among n is drawn from a beta distribution; how many of the
    unknown lie above it is then binomial. So no score has to be drawn or sorted again. It is no
    narrower than Wilson's for the limit as it is, which knows that 0 of 20 is not 0 of a million.

    Args:
        known, unknown: as in ``auroc``.
    """
    ordered, others = np.sort(known), np.sort(unknown)
    n, m = len(ordered), len(others)
    spared = int((1 - KEPT) * n + 1e-9)  # known pictures below the limit
    above = 1 - np.searchsorted(others, ordered, side="left") / m  # if the limit were here
    rng = np.random.default_rng(0)
    ranks = np.floor(n * rng.beta(spared + 1, n - spared, NUM_RESAMPLES)).astype(np.int64)
    drawn = rng.binomial(m, above[np.minimum(ranks, n - 1)]) / m
    at_limit = wilson(round(float(above[spared]) * m), m)
    found = percentile_estimate(at_limit.value, drawn)
    return Estimate(found.value, min(found.low, at_limit.low), max(found.high, at_limit.high))


def _beaten(
    scores: Float[np.ndarray, " n"], others: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " n"]:
    """For each score the share of the others that it beats; equal ones count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, scores, side="left")
    not_above = np.searchsorted(ordered, scores, side="right")
    return (below + not_above) / (2 * len(others))
