"""Does a probability of 0.8 come true in 80 of 100 pictures?"""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

NUM_BINS = 15


@dataclass(frozen=True)
class Bin:
    """The pictures whose predicted class got a probability in ``(low, high]``.

    Attributes:
        low: lower edge of the bin, in [0, 1]; not part of it, save for the first bin's 0.
        high: upper edge of the bin, in [0, 1]; part of it.
        count: number of pictures in it.
        confidence: their mean probability; None in an empty bin.
        accuracy: the share of them that was right; None in an empty bin.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None

    def to_json(self) -> dict[str, float | None]:
        """The bin's fields by name."""
        return asdict(self)


def bin_index(confidence: Float[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """The equal-width bin of each probability.

    Args:
        confidence: probabilities in [0, 1].

    Returns:
        Bin numbers, 0 to ``NUM_BINS - 1``.
    """
    return np.clip(np.ceil(confidence * NUM_BINS).astype(np.int64) - 1, 0, NUM_BINS - 1)


def mass_index(confidence: Float[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """The bin of each probability where bins hold the same number of pictures.

    Where most answers are sure, bins of equal width put nearly all of them into the last one; these
    look closely there. Equal probabilities share a bin, so bins can differ in size.

    Args:
        confidence: probabilities; at least one.

    Returns:
        Bin numbers, 0 to ``NUM_BINS - 1``.
    """
    edges = np.quantile(confidence, np.arange(1, NUM_BINS) / NUM_BINS)
    return np.searchsorted(edges, confidence, side="left").astype(np.int64)


def reliability_bins(
    confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"]
) -> tuple[Bin, ...]:
    """Sorts the pictures by confidence into equal-width bins and says how often each was right.

    Args:
        confidence: probability of the predicted class, in [0, 1].
        correct: whether that class was the true one.

    Returns:
        ``NUM_BINS`` bins from 0 to 1.
    """
    bins = bin_index(confidence)
    counts = np.bincount(bins, minlength=NUM_BINS)
    confidences = np.bincount(bins, weights=confidence, minlength=NUM_BINS)
    hits = np.bincount(bins, weights=correct.astype(np.float64), minlength=NUM_BINS)
    return tuple(
        Bin(
            low=i / NUM_BINS,
            high=(i + 1) / NUM_BINS,
            count=int(count),
            confidence=float(confidences[i] / count) if count else None,
            accuracy=float(hits[i] / count) if count else None,
        )
        for i, count in enumerate(counts)
    )


def expected_calibration_error(bins: tuple[Bin, ...]) -> float:
    """Mean distance between confidence and accuracy over bins, weighted by their pictures.

    This is the top-label error: it looks only at the probability of the predicted class (Guo et
    al., "On Calibration of Modern Neural Networks", arXiv 1706.04599, equation 3). It says nothing
    about the other K - 1 probabilities; for those there is the class-wise error, the mean over
    classes k of the same formula with ``probs[:, k]`` for the confidence and ``labels == k`` for
    being right (Kull et al., arXiv 1910.12656, section 2), which this package does not report.

    Args:
        bins: from ``reliability_bins``; at least one picture in all.

    Returns:
        The error in [0, 1]; 0 is perfect.
    """
    total = sum(b.count for b in bins)
    assert total > 0
    error = 0.0
    for b in bins:
        if b.confidence is not None and b.accuracy is not None:
            error += b.count / total * abs(b.confidence - b.accuracy)
    return error
