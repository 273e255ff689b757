"""A linear probe: logistic regression on frozen features, solved rather than trained."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

DECAYS = tuple(10 ** (-power / 2) for power in range(12))
"""Weight decays tried, from the strongest: 1 down to 3e-6; numbers that suit any number of
pictures."""

DEFAULT_DECAY = 0.1
"""Where there are too few pictures to hold any back."""

HELD_BACK = 0.1
"""Share of the pictures of each class that choose the weight decay, at least one of each."""

FEWEST_TO_HOLD_BACK = 5
"""Pictures of each class below which the default is taken."""

_STEPS = 100  # of L-BFGS for each weight decay; it goes on from the solution of the last one
_FLAT = 1e-6  # channels that vary less are left out


@dataclass(frozen=True, kw_only=True)
class LinearProbe:
    """Standardises features and maps them to logits.

    Attributes:
        mean, std: of the features it was fitted on.
        weight, bias: of the map.
        decay: that was chosen.
    """

    mean: Float[Tensor, " D"]
    std: Float[Tensor, " D"]
    weight: Float[Tensor, "K D"]
    bias: Float[Tensor, " K"]
    decay: float

    def __call__(self, features: Float[Tensor, "n D"]) -> Float[Tensor, "n K"]:
        """Logits."""
        return F.linear((features - self.mean) / self.std, self.weight, self.bias)


def fit_linear(
    features: Float[Tensor, "n D"], labels: Int64[Tensor, " n"], *, num_classes: int
) -> LinearProbe:
    """Fits a probe; its weight decay is chosen on a part of the pictures that is held back.

    Minimises the mean cross-entropy plus ``decay / 2`` times the sum of squared weights. A convex
    problem: there is one solution and nothing random.

    Args:
        features: of the backbone; standardised here, channel by channel.
        labels: class ids.
        num_classes: K.
    """
    mean, std = features.mean(dim=0), features.std(dim=0, correction=0)
    std = torch.where(std > _FLAT, std, torch.inf)  # divides to zero
    scaled = (features - mean) / std
    held = _held_back(labels)
    decay = DEFAULT_DECAY if held is None else _best_decay(scaled, labels, held, num_classes)
    solution = _solve(scaled, labels, num_classes, decay=decay, start=None)
    weight, bias = solution[:, :-1], solution[:, -1]
    return LinearProbe(mean=mean, std=std, weight=weight, bias=bias, decay=decay)


def _best_decay(
    scaled: Float[Tensor, "n D"], labels: Int64[Tensor, " n"], held: Tensor, num_classes: int
) -> float:
    """The decay with the least cross-entropy on what is held back; the strongest of equals."""
    losses = []
    solution = None
    for decay in DECAYS:
        solution = _solve(scaled[~held], labels[~held], num_classes, decay=decay, start=solution)
        logits = F.linear(scaled[held], solution[:, :-1], solution[:, -1])
        losses.append(F.cross_entropy(logits, labels[held]).item())
        if losses[-1] > 1.5 * min(losses):  # weaker ones only fit what they see even better
            break
    return DECAYS[losses.index(min(losses))]


def _solve(
    scaled: Float[Tensor, "n D"],
    labels: Int64[Tensor, " n"],
    num_classes: int,
    *,
    decay: float,
    start: Float[Tensor, "K D1"] | None,
) -> Float[Tensor, "K D1"]:
    """Weights and, in the last column, the bias."""
    shape = (num_classes, scaled.shape[1] + 1)
    solution = (scaled.new_zeros(shape) if start is None else start.clone()).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [solution], max_iter=_STEPS, tolerance_grad=1e-5, line_search_fn="strong_wolfe"
    )

    def loss() -> float:
        optimizer.zero_grad()
        weight, bias = solution[:, :-1], solution[:, -1]
        value = F.cross_entropy(F.linear(scaled, weight, bias), labels)
        value = value + decay / 2 * weight.square().sum()
        value.backward()
        return value.item()

    with torch.enable_grad():
        optimizer.step(loss)
    return solution.detach()


def _held_back(labels: Int64[Tensor, " n"]) -> Tensor | None:
    """Marks the last pictures of each class; None where a class has too few."""
    counts = labels.bincount()
    if counts[counts > 0].min() < FEWEST_TO_HOLD_BACK:
        return None
    held = torch.zeros(len(labels), dtype=torch.bool, device=labels.device)
    for label, count in enumerate(counts.tolist()):
        if count:
            members = (labels == label).nonzero()[:, 0]
            held[members[-max(1, round(HELD_BACK * count)) :]] = True
    return held
