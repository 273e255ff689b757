"""Is one model better than another, asked of the same pictures?

Two models err on much the same pictures, and what both get right or wrong says nothing about which
is better. So differences are taken picture by picture, and two intervals that overlap do not yet
mean that nothing was found.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from saccade.metrics.class_answers import ClassAnswers
from saccade.metrics.intervals import Z_95, Estimate, percentile_estimate, resample_weights

NUM_RESAMPLES = 2000

HIGH_IS_GOOD = {"top1", "top5", "macro_f1", "balanced_accuracy"}
"""The others are errors: lower is better."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One figure of two models.

    Attributes:
        name: of the figure, as in ``ClassResult``.
        first, second: what it is for each.
        difference: second less first, with its 95 % interval.
        p: how often chance alone would give a difference at least as large, if there were none; two
            sided, in (0, 1].
    """

    name: str
    first: float
    second: float
    difference: Estimate
    p: float

    @property
    def better(self) -> int | None:
        """1 or 2 for the better model, where p is below 0.05; None where neither is shown to be."""
        if self.p >= 0.05 or self.difference.value == 0:
            return None
        return 1 + ((self.difference.value > 0) == (self.name in HIGH_IS_GOOD))


def compare(first: ClassAnswers, second: ClassAnswers, *, seed: int = 0) -> tuple[Difference, ...]:
    """Every figure of two models that answered the same pictures, in the same order.

    Top-1 and top-5 are compared by McNemar's exact test, the others by drawing the pictures anew,
    the same ones for both models, 2,000 times.

    Args:
        first, second: their labels must be equal.
        seed: decides the resamples.
    """
    assert np.array_equal(first.labels, second.labels)
    n = len(first)
    found = [_shares("top1", first.correct, second.correct)]
    if first.num_classes > 5:
        found.append(_shares("top5", first.ranks < 5, second.ranks < 5))
    once = np.ones((1, n))
    whole = _differences(first.figures(once), second.figures(once))
    weights = resample_weights(
        n, num_resamples=NUM_RESAMPLES, generator=np.random.default_rng(seed)
    )
    drawn = [_differences(first.figures(w), second.figures(w)) for w in weights]
    values = first.figures(once), second.figures(once)
    for name, value in whole.items():
        resampled = np.concatenate([each[name] for each in drawn])
        found.append(
            Difference(
                name=name,
                first=float(values[0][name][0]),
                second=float(values[1][name][0]),
                difference=percentile_estimate(float(value[0]), resampled),
                p=_bootstrap_p(resampled),
            )
        )
    return tuple(found)


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact test: are the pictures that just one model got right shared fairly?

    If the models were equally good, each such picture would go to either with probability one half,
    and the smaller count would follow a binomial distribution (McNemar, Psychometrika 12, 1947).
    Exact in whole numbers, so that it holds for three pictures as for a million.

    Args:
        only_first, only_second: pictures that this model alone got right.

    Returns:
        The two-sided p, in (0, 1].
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    if n > 10_000:  # the normal distribution is as exact then, and whole numbers become slow
        z = max(0.0, abs(only_first - only_second) - 1) / math.sqrt(n)
        return min(1.0, math.erfc(z / math.sqrt(2)))
    total = term = 1
    for k in range(fewer):
        term = term * (n - k) // (k + 1)
        total += term
    return min(1.0, 2 * total / 2**n)


def share_difference(only_first: int, only_second: int, n: int) -> Estimate:
    """The difference of two shares of the same pictures.

    Wald's interval with half a picture added to each of the four cells, which keeps its promise
    where few pictures differ (Agresti and Min, Statistics in Medicine 24, 2005).

    Args:
        only_first, only_second: pictures that have the property for this model alone.
        n: pictures in all, at least 1.

    Returns:
        Second less first.
    """
    b, c, total = only_first + 0.5, only_second + 0.5, n + 2
    centre = (c - b) / total
    half = Z_95 * math.sqrt((b + c) - (c - b) ** 2 / total) / total
    value = (only_second - only_first) / n
    return Estimate(value, min(value, centre - half), max(value, centre + half))


def _shares(name: str, first: Bool[np.ndarray, " n"], second: Bool[np.ndarray, " n"]) -> Difference:
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    n = len(first)
    return Difference(
        name=name,
        first=float(first.mean()),
        second=float(second.mean()),
        difference=share_difference(only_first, only_second, n),
        p=mcnemar(only_first, only_second),
    )


def _differences(
    first: Mapping[str, Float[np.ndarray, " R"]], second: Mapping[str, Float[np.ndarray, " R"]]
) -> dict[str, Float[np.ndarray, " R"]]:
    return {name: second[name] - first[name] for name in first}


def _bootstrap_p(differences: Float[np.ndarray, " R"]) -> float:
    """Twice the smaller share of resamples on either side of 0, the sample itself counted too."""
    n = len(differences)
    below, above = int((differences <= 0).sum()), int((differences >= 0).sum())
    return min(1.0, 2 * (1 + min(below, above)) / (n + 1))
