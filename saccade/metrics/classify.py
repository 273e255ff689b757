"""How good a classifier is: fed batch by batch, asked once at the end."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.errors import DataError
from saccade.metrics.calibration import reliability_bins
from saccade.metrics.class_answers import ClassAnswers
from saccade.metrics.intervals import percentile_estimate, resample_weights, wilson
from saccade.metrics.result import ClassResult, ClassRow
from saccade.metrics.selective import risk_curve, risks

SMALLEST_PROB = 1e-12  # log loss takes a smaller probability as this, so one picture costs < 27.7
NUM_RESAMPLES = 500


class ClassMetrics:
    """Collects predictions and turns them into figures.

    Only six numbers are kept per picture, so a million pictures take 50 MB whatever K is.

    Args:
        class_names: the K names, in the order of the columns of ``probs``.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.class_names = tuple(class_names)
        self._labels: list[np.ndarray] = []
        self._predicted: list[np.ndarray] = []
        self._confidence: list[np.ndarray] = []
        self._label_prob: list[np.ndarray] = []
        self._squares: list[np.ndarray] = []
        self._rank: list[np.ndarray] = []

    def update(self, probs: Float[Tensor, "B K"], labels: Int64[Tensor, " B"]) -> None:
        """Adds one batch.

        Args:
            probs: probabilities in [0, 1], rows summing to 1; any float type, any device.
            labels: the true class ids, 0 to K - 1.

        Raises:
            ValueError: if K is not the number of class names, or rows are not probabilities.
            DataError: if a label is not a class id.
        """
        num_classes = len(self.class_names)
        if probs.shape[1] != num_classes:
            raise ValueError(
                f"probs has {probs.shape[1]} columns, but there are {num_classes} class names: "
                "give one column per class, in the same order"
            )
        p = probs.detach().to("cpu", torch.float64).numpy()
        y = labels.detach().to("cpu").numpy()
        # The comparison is false for NaN too. 0.05 leaves room for bf16, which keeps 8 bits.
        if not ((p >= 0).all() and (abs(p.sum(axis=1) - 1) < 0.05).all()):
            raise ValueError(
                "probs holds rows that are negative, not finite or do not sum to 1: "
                "give probabilities (softmax of the logits), not logits"
            )
        if len(y) and not 0 <= y.min() <= y.max() < num_classes:
            raise DataError(
                f"labels run from {y.min()} to {y.max()}, but {num_classes} classes have ids 0 to "
                f"{num_classes - 1}: check that the data and the model have the same classes"
            )

        predicted = p.argmax(axis=1)  # of equal probabilities the first
        label_prob = p[np.arange(len(y)), y]
        ahead = (p > label_prob[:, None]).sum(axis=1)
        equal_before = (p == label_prob[:, None]) & (np.arange(num_classes) < y[:, None])
        self._labels.append(y)
        self._predicted.append(predicted)
        self._confidence.append(p[np.arange(len(y)), predicted])
        self._label_prob.append(label_prob)
        truth = np.arange(num_classes) == y[:, None]
        self._squares.append(((p - truth) ** 2).sum(axis=1))
        self._rank.append(ahead + equal_before.sum(axis=1))

    def extend(self, other: "ClassMetrics") -> None:
        """Adds the pictures of another, behind those that are here."""
        self._labels += other._labels
        self._predicted += other._predicted
        self._confidence += other._confidence
        self._label_prob += other._label_prob
        self._squares += other._squares
        self._rank += other._rank

    def answers(self) -> ClassAnswers:
        """What was kept of each picture, in the order in which they came.

        Raises:
            DataError: if no picture was added.
        """
        if not sum(map(len, self._labels)):
            raise DataError(
                "there is nothing to measure: no labelled picture was given; "
                "check that this split of the data is not empty"
            )
        return ClassAnswers(
            num_classes=len(self.class_names),
            labels=np.concatenate(self._labels),
            predicted=np.concatenate(self._predicted),
            confidence=np.minimum(np.concatenate(self._confidence), 1.0),  # bf16 may sum to 1.004
            losses=-np.log(np.clip(np.concatenate(self._label_prob), SMALLEST_PROB, 1.0)),
            squares=np.concatenate(self._squares),
            ranks=np.concatenate(self._rank),
        )

    def result(self, seed: int = 0) -> ClassResult:
        """The figures over everything added so far.

        Shares of pictures (``top1``, ``top5``) have Wilson intervals; the other figures have
        percentile intervals from 500 bootstrap resamples of the pictures.

        Args:
            seed: decides the resamples, and nothing else.

        Returns:
            Figures, per-class rows, confusion matrix, reliability bins and risk over coverage.

        Raises:
            DataError: if no picture was added.
        """
        answers = self.answers()
        n, num_classes = len(answers), answers.num_classes
        pairs = np.bincount(
            answers.labels * num_classes + answers.predicted, minlength=num_classes**2
        )
        confusion = pairs.reshape(num_classes, num_classes)

        metrics = {"top1": wilson(int(answers.correct.sum()), n)}
        if num_classes > 5:
            metrics["top5"] = wilson(int((answers.ranks < 5).sum()), n)
        resamples = resample_weights(
            n, num_resamples=NUM_RESAMPLES, generator=np.random.default_rng(seed)
        )
        drawn = [answers.figures(weights) for weights in resamples]
        for name, value in answers.figures(np.ones((1, n))).items():
            resampled = np.concatenate([figures[name] for figures in drawn])
            metrics[name] = percentile_estimate(float(value[0]), resampled)
        return ClassResult(
            n=n,
            metrics=metrics,
            per_class=_rows(
                self.class_names, np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
            ),
            confusion=confusion,
            reliability=reliability_bins(answers.confidence, answers.correct),
            risks=risks(answers.confidence, answers.correct),
            risk_curve=risk_curve(answers.confidence, answers.correct),
        )


def _rows(
    names: tuple[str, ...],
    hits: Int64[np.ndarray, " K"],
    true: Int64[np.ndarray, " K"],
    guessed: Int64[np.ndarray, " K"],
) -> tuple[ClassRow, ...]:
    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    counts = zip(names, hits.tolist(), true.tolist(), guessed.tolist(), strict=True)
    return tuple(
        ClassRow(
            name=name,
            n=n,
            precision=share(right, predicted),
            recall=share(right, n),
            f1=share(2 * right, n + predicted),
        )
        for name, right, n, predicted in counts
    )
