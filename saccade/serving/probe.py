"""What frozen features are worth: three probes, with all labels and with a few of each class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.metrics.intervals import wilson
from saccade.metrics.representation import NUM_NEIGHBOURS, neighbour_votes
from saccade.serving.probe_attentive import attentive_logits, fit_attentive
from saccade.serving.probe_features import ProbeFeatures
from saccade.serving.probe_linear import fit_linear

Probe = Literal["knn", "linear", "attentive"]


@dataclass(frozen=True, kw_only=True)
class ProbeRow:
    """One line of the table.

    Attributes:
        features: what was probed: ``model``, ``fresh weights`` or ``pixels``.
        probe: which one.
        shots: labels of each class; None: all.
        num_labels: labels in all.
        top1: share of the test pictures that were right; the mean over draws.
        low, high: of one draw the 95 % interval; of several the least and the most.
        std: between draws; None for one.
        draws: how many.
    """

    features: str
    probe: Probe
    shots: int | None
    num_labels: int
    top1: float
    low: float
    high: float
    std: float | None
    draws: int


def probe_features(
    name: str,
    train: ProbeFeatures,
    test: ProbeFeatures,
    *,
    probes: Sequence[Probe],
    shots: Sequence[int],
    repeats: int,
    num_classes: int,
    seed: int,
) -> Iterator[ProbeRow]:
    """Fits the probes on training pictures and counts how many test pictures they get right.

    Args:
        name: of the features, for the table.
        train, test: labelled.
        probes: which; ``attentive`` is passed over where there are no tokens.
        shots: labels of each class, besides all of them.
        repeats: draws of these labels; each probe gets the same ones, where all have tokens.
        num_classes: K.
        seed: of the draws.
    """
    for count in (None, *sorted(shots)):
        for probe in probes:
            labels = train.labels
            if probe == "attentive":
                if not (train.num_with_tokens and test.num_with_tokens):
                    continue
                labels = labels[: train.num_with_tokens]  # only of these there are tokens
            # All labels are one set, and its fit has nothing random that matters.
            draws = [
                _draw(labels, count, seed=seed + number)
                for number in range(1 if count is None else repeats)
            ]
            found = [
                _right(probe, train, test, chosen, num_classes=num_classes, seed=seed + number)
                for number, chosen in enumerate(draws)
            ]
            yield _row(name, probe, count, [len(chosen) for chosen in draws], found)


def _draw(labels: Int64[Tensor, " n"], count: int | None, *, seed: int) -> Int64[Tensor, " m"]:
    """Positions of ``count`` pictures of each class, or of all there are."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    if count is None:
        return order
    return torch.cat([order[labels[order] == label][:count] for label in labels.unique().tolist()])


def _right(
    probe: Probe,
    train: ProbeFeatures,
    test: ProbeFeatures,
    chosen: Int64[Tensor, " m"],
    *,
    num_classes: int,
    seed: int,
) -> tuple[int, int]:
    """How many test pictures are right, and of how many."""
    wanted = test.labels
    if probe == "attentive":
        wanted = wanted[: test.num_with_tokens]
    labels = train.labels[chosen]
    logits = _logits(probe, train, test, chosen, labels, num_classes=num_classes, seed=seed)
    return int((logits.argmax(dim=1) == wanted).sum()), len(wanted)


def _logits(
    probe: Probe,
    train: ProbeFeatures,
    test: ProbeFeatures,
    chosen: Int64[Tensor, " m"],
    labels: Int64[Tensor, " m"],
    *,
    num_classes: int,
    seed: int,
) -> Float[Tensor, "n K"]:
    match probe:
        case "knn":
            return _neighbours(train.vectors[chosen], test.vectors, labels, num_classes=num_classes)
        case "linear":
            return fit_linear(train.vectors[chosen], labels, num_classes=num_classes)(test.vectors)
        case "attentive":
            fitted = fit_attentive(train.tokens[chosen], labels, num_classes=num_classes, seed=seed)
            return attentive_logits(fitted, test.tokens)


def _neighbours(
    gallery: Float[Tensor, "m D"],
    queries: Float[Tensor, "n D"],
    labels: Int64[Tensor, " m"],
    *,
    num_classes: int,
) -> Float[Tensor, "n K"]:
    """Votes of the nearest, after taking away what all vectors share.

    With few labels of each class no more neighbours vote than there are of one class.
    """
    middle = gallery.mean(dim=0)
    most = int(labels.bincount().max())
    return neighbour_votes(
        queries - middle,
        gallery - middle,
        labels,
        num_classes=num_classes,
        k=min(NUM_NEIGHBOURS, most),
    )


def _row(
    name: str,
    probe: Probe,
    shots: int | None,
    num_labels: Sequence[int],
    found: Sequence[tuple[int, int]],
) -> ProbeRow:
    shares = torch.tensor([right / total for right, total in found], dtype=torch.float64)
    low, high, std = float(shares.min()), float(shares.max()), None
    if len(found) == 1:
        interval = wilson(*found[0])
        low, high = interval.low, interval.high
    else:
        std = float(shares.std())
    return ProbeRow(
        features=name,
        probe=probe,
        shots=shots,
        num_labels=num_labels[0],
        top1=float(shares.mean()),
        low=low,
        high=high,
        std=std,
        draws=len(found),
    )
