"""The average of the weights over the last part of the run; it is what gets evaluated and kept."""

import copy

import torch
from torch import Tensor, nn

from saccade.tasks.build import AnyTask


class WeightAverage:
    """Exponential moving average of all weights and of the batch norms' statistics.

    ``average += (weights - average) / horizon`` at each step, where the horizon grows with the
    steps up to its final length, so that early averages are not held back by the first weights.

    Attributes:
        task: a copy of the task that holds the averages, always in evaluation mode.
    """

    def __init__(self, task: AnyTask) -> None:
        self.task = copy.deepcopy(task).eval().requires_grad_(requires_grad=False)
        self._averages, self._counters = _split(self.task)
        self._weights, self._counts = _split(task)

    @torch.no_grad()
    def update(self, *, step: int, horizon: float) -> None:
        """Moves the averages towards the weights after optimiser step number ``step`` (from 1).

        Args:
            step: how many steps were made.
            horizon: the length of the average in steps, at least 1.
        """
        length = max(1.0, min(horizon, (10 + step) / 10))
        torch._foreach_lerp_(self._averages, self._weights, 1 / length)
        for average, count in zip(self._counters, self._counts, strict=True):
            average.copy_(count)


def _split(module: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """Tensors that can be averaged, and counters that are copied."""
    tensors = list(module.state_dict().values())
    return (
        [t for t in tensors if t.is_floating_point()],
        [t for t in tensors if not t.is_floating_point()],
    )
