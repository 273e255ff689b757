"""What refusing the unsure answers buys: the share of mistakes among those that remain."""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool, Float

from saccade.metrics.intervals import Estimate, wilson

REFUSED = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares of the pictures left out, for a table."""

NUM_POINTS = 100
"""Of a curve; one point a picture would draw nothing more."""


@dataclass(frozen=True, kw_only=True)
class RiskAt:
    """The pictures that are left when the least sure answers are refused.

    Attributes:
        refused: the share refused, in [0, 1).
        probability: the least of those that are answered.
        n: how many are answered, at least 1.
        wrong: the share of these that is wrong.
    """

    refused: float
    probability: float
    n: int
    wrong: Estimate

    def to_json(self) -> dict[str, float | dict[str, float]]:
        """The fields by name."""
        return asdict(self)


def risks(
    confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"]
) -> tuple[RiskAt, ...]:
    """The mistakes that remain when each of the shares ``REFUSED`` is left out.

    Answers that are equally sure are refused together or not at all, as a threshold has it, so the
    share can be smaller than it was asked for.

    Args:
        confidence: probability of the predicted class, in [0, 1]; at least one picture.
        correct: whether that class was the true one.
    """
    found = []
    for share in REFUSED:
        limit = np.sort(confidence)[min(int(share * len(confidence)), len(confidence) - 1)]
        kept = confidence >= limit
        n = int(kept.sum())
        found.append(
            RiskAt(
                refused=1 - n / len(kept),
                probability=float(limit),
                n=n,
                wrong=wilson(int((kept & ~correct).sum()), n),
            )
        )
    return tuple(found)


def risk_curve(
    confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"]
) -> list[tuple[float, float]]:
    """Risk over coverage (El-Yaniv and Wiener; Geifman and El-Yaniv, arXiv 1705.08500).

    Args:
        confidence: probability of the predicted class, in [0, 1]; at least one picture.
        correct: whether that class was the true one.

    Returns:
        At most ``NUM_POINTS`` pairs: the share answered, in (0, 1], and the share of those that is
        wrong.
    """
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(expected_mistakes(confidence, correct)[order])
    n = len(wrong)
    answered = np.unique(np.ceil(np.linspace(0, n, NUM_POINTS + 1)[1:]).astype(np.int64))
    return [(k / n, float(wrong[k - 1] / k)) for k in answered.tolist()]


def expected_mistakes(
    confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """1 for a mistake, 0 for none; among answers equally sure, the share that is wrong.

    Which of these would be answered first is a matter of chance, and this is its mean, so that the
    order in which pictures come changes no figure.
    """
    _, group = np.unique(confidence, return_inverse=True)
    wrong = np.bincount(group, weights=(~correct).astype(np.float64))
    return (wrong / np.bincount(group))[group]


def risk_area(
    weights: Float[np.ndarray, "R n"], mistakes: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " R"]:
    """The area under risk over coverage (AURC), for R ways to weigh the pictures.

    The plain version, with a weight of 1 each::

        np.mean([mistakes[: k + 1].mean() for k in range(n)])

    Args:
        weights: of the pictures, the surest first; at least 0, with a sum above 0.
        mistakes: of the same, by ``expected_mistakes``.

    Returns:
        In [0, 1]; 0 where nothing is wrong, the share of mistakes where confidence says nothing.
    """
    answered = np.cumsum(weights, axis=1)
    wrong = np.cumsum(weights * mistakes, axis=1)
    return (weights * wrong / np.maximum(answered, 1e-12)).sum(axis=1) / answered[:, -1]
