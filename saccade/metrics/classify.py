"""How good a classifier is: fed batch by batch, asked once at the end."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64, Num
from torch import Tensor

from saccade.errors import DataError
from saccade.metrics.calibration import (
    NUM_BINS,
    bin_index,
    expected_calibration_error,
    reliability_bins,
)
from saccade.metrics.intervals import percentile_estimate, resample_weights, wilson
from saccade.metrics.result import ClassResult, ClassRow

SMALLEST_PROB = 1e-12  # log loss takes a smaller probability as this, so one picture costs < 27.7
NUM_RESAMPLES = 500


class ClassMetrics:
    """Collects predictions and turns them into figures.

    Only five numbers are kept per picture, so a million pictures take 40 MB whatever K is.

    Args:
        class_names: the K names, in the order of the columns of ``probs``.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.class_names = tuple(class_names)
        self._labels: list[np.ndarray] = []
        self._predicted: list[np.ndarray] = []
        self._confidence: list[np.ndarray] = []
        self._label_prob: list[np.ndarray] = []
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
        self._rank.append(ahead + equal_before.sum(axis=1))

    def result(self, seed: int = 0) -> ClassResult:
        """The figures over everything added so far.

        Shares of pictures (``top1``, ``top5``) have Wilson intervals; the other figures have
        percentile intervals from 500 bootstrap resamples of the pictures.

        Args:
            seed: decides the resamples, and nothing else.

        Returns:
            Figures, per-class rows, confusion matrix and reliability bins.

        Raises:
            DataError: if no picture was added.
        """
        if not sum(map(len, self._labels)):
            raise DataError(
                "there is nothing to measure: no labelled picture was given; "
                "check that this split of the data is not empty"
            )
        labels, predicted = np.concatenate(self._labels), np.concatenate(self._predicted)
        confidence = np.minimum(np.concatenate(self._confidence), 1.0)  # bf16 may sum to 1.004
        losses = -np.log(np.clip(np.concatenate(self._label_prob), SMALLEST_PROB, 1.0))
        rank = np.concatenate(self._rank)
        n, num_classes = len(labels), len(self.class_names)

        pairs = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
        confusion = pairs.reshape(num_classes, num_classes)
        hits, true, guessed = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
        bins = reliability_bins(confidence, predicted == labels)

        metrics = {"top1": wilson(int((predicted == labels).sum()), n)}
        if num_classes > 5:
            metrics["top5"] = wilson(int((rank < 5).sum()), n)
        values = {
            "macro_f1": float(_macro_f1(hits[None], true[None], guessed[None])[0]),
            "log_loss": float(losses.mean()),
            "ece": expected_calibration_error(bins),
            "balanced_accuracy": float(_balanced_accuracy(hits[None], true[None])[0]),
        }
        resampled = _resample(labels, predicted, confidence, losses, num_classes, seed)
        metrics |= {name: percentile_estimate(values[name], resampled[name]) for name in values}
        return ClassResult(
            n=n,
            metrics=metrics,
            per_class=_rows(self.class_names, hits, true, guessed),
            confusion=confusion,
            reliability=bins,
        )


def _resample(
    labels: Int64[np.ndarray, " n"],
    predicted: Int64[np.ndarray, " n"],
    confidence: Float[np.ndarray, " n"],
    losses: Float[np.ndarray, " n"],
    num_classes: int,
    seed: int,
) -> dict[str, Float[np.ndarray, " R"]]:
    """The bootstrapped figures, by name."""
    n = len(labels)
    gaps = confidence - (predicted == labels)
    bins = bin_index(confidence)
    hit_or_spare = np.where(predicted == labels, labels, num_classes)
    draws: dict[str, list[np.ndarray]] = {
        name: [] for name in ("macro_f1", "log_loss", "ece", "balanced_accuracy")
    }
    weights = resample_weights(
        n, num_resamples=NUM_RESAMPLES, generator=np.random.default_rng(seed)
    )
    for w in weights:
        hits = _sum_by(w, hit_or_spare, num_classes + 1)[:, :num_classes]
        true, guessed = _sum_by(w, labels, num_classes), _sum_by(w, predicted, num_classes)
        draws["macro_f1"].append(_macro_f1(hits, true, guessed))
        draws["balanced_accuracy"].append(_balanced_accuracy(hits, true))
        draws["log_loss"].append(w @ losses / n)
        draws["ece"].append(abs(_sum_by(w * gaps, bins, NUM_BINS)).sum(axis=1) / n)
    return {name: np.concatenate(parts) for name, parts in draws.items()}


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
