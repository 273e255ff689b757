"""What is kept of a classifier's answers, and the figures that any weighting of them has."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int64, Num

from saccade.metrics.calibration import NUM_BINS, bin_index, mass_index
from saccade.metrics.selective import expected_mistakes, risk_area


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassAnswers:
    """A few numbers for each of n pictures: a million take 50 MB, however many classes there are.

    Attributes:
        num_classes: K.
        labels, predicted: class ids.
        confidence: probability of the class predicted, in [0, 1].
        losses: minus the logarithm of the true class's probability, in nats.
        squares: Brier scores in [0, 2]: squared distance between the probabilities and the truth.
        ranks: how many classes were held for likelier than the true one.
    """

    num_classes: int
    labels: Int64[np.ndarray, " n"]
    predicted: Int64[np.ndarray, " n"]
    confidence: Float[np.ndarray, " n"]
    losses: Float[np.ndarray, " n"]
    squares: Float[np.ndarray, " n"]
    ranks: Int64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def correct(self) -> Bool[np.ndarray, " n"]:
        """Which were right."""
        return self.predicted == self.labels

    def figures(self, weights: Float[np.ndarray, "R n"]) -> dict[str, Float[np.ndarray, " R"]]:
        """Every figure but top-1 and top-5, for R ways to weigh the pictures.

        Bins stay those of all pictures, whatever the weights.

        Args:
            weights: at least 0, each row with a sum above 0: ones for the figures themselves, how
                often each picture was drawn for a bootstrap.

        Returns:
            ``macro_f1``, ``balanced_accuracy``, ``log_loss``, ``brier``, ``ece``,
            ``ece_equal_mass`` and ``aurc``; see ``ClassResult``.
        """
        total = weights.sum(axis=1)
        hit_or_spare = np.where(self.correct, self.labels, self.num_classes)
        hits = _sum_by(weights, hit_or_spare, self.num_classes + 1)[:, : self.num_classes]
        true = _sum_by(weights, self.labels, self.num_classes)
        guessed = _sum_by(weights, self.predicted, self.num_classes)
        return {
            "macro_f1": _macro_f1(hits, true, guessed),
            "balanced_accuracy": _balanced_accuracy(hits, true),
            "log_loss": weights @ self.losses / total,
            "brier": weights @ self.squares / total,
            "ece": self._gap(weights, bin_index(self.confidence)) / total,
            "ece_equal_mass": self._gap(weights, mass_index(self.confidence)) / total,
            "aurc": risk_area(weights[:, self._surest_first], self._mistakes_surest_first),
        }

    def _gap(
        self, weights: Float[np.ndarray, "R n"], bins: Int64[np.ndarray, " n"]
    ) -> Float[np.ndarray, " R"]:
        gaps = self.confidence - self.correct
        return abs(_sum_by(weights * gaps, bins, NUM_BINS)).sum(axis=1)

    @cached_property
    def _surest_first(self) -> Int64[np.ndarray, " n"]:
        return np.argsort(-self.confidence, kind="stable")

    @cached_property
    def _mistakes_surest_first(self) -> Float[np.ndarray, " n"]:
        return expected_mistakes(self.confidence, self.correct)[self._surest_first]


def _sum_by(
    weights: Float[np.ndarray, "R n"], groups: Int64[np.ndarray, " n"], num_groups: int
) -> Float[np.ndarray, "R G"]:
    """Sums the columns of each group: ``out[:, g] = weights[:, groups == g].sum(axis=1)``."""
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    sums = np.zeros((len(weights), num_groups))
    sums[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
    return sums


def _macro_f1(
    hits: Num[np.ndarray, "R K"], true: Num[np.ndarray, "R K"], guessed: Num[np.ndarray, "R K"]
) -> Float[np.ndarray, " R"]:
    """Mean F1 over the classes that were there or were predicted."""
    seen = true + guessed > 0
    f1 = 2 * hits / np.maximum(true + guessed, 1)
    return f1.sum(axis=1) / seen.sum(axis=1)


def _balanced_accuracy(
    hits: Num[np.ndarray, "R K"], true: Num[np.ndarray, "R K"]
) -> Float[np.ndarray, " R"]:
    """Mean recall over the classes that were there."""
    recall = hits / np.maximum(true, 1)
    return recall.sum(axis=1) / (true > 0).sum(axis=1)
