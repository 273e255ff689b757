"""The average of the weights over the last part of the run; it is what gets evaluated and kept."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from saccade.run.shards import own_part, shared_out_like, whole, with_part
from saccade.tasks.build import AnyTask


class WeightAverage:
    """Exponential moving average of all weights and of the batch norms' statistics.

    ``average += (weights - average) / horizon`` at each step, where the horizon grows with the
    steps up to its final length, so that early averages are not held back by the first weights.

    Args:
        task: whose weights are averaged.
        copied: a copy of it, where the task's own weights are shared out among processes by now;
            each of them then averages its part.

    Attributes:
        task: a copy of the task for the averages, always in evaluation mode; see ``gathered``.
    """

    def __init__(self, task: AnyTask, *, copied: AnyTask | None = None) -> None:
        self.task = (copied or copy.deepcopy(task)).eval().requires_grad_(requires_grad=False)
        self._sources = list(task.state_dict().values())
        self._holds_parts = copied is not None
        parts = [own_part(tensor) for tensor in self._sources]
        of_copy = list(self.task.state_dict().values())
        self._parts = [part.clone() for part in parts] if self._holds_parts else of_copy
        self._averages, self._counters = _split(self._parts)
        self._weights, self._counts = _split(parts)

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

    def gathered(self) -> AnyTask:
        """The task with all averages; where they lie in parts, all processes must ask at once."""
        if self._holds_parts:
            targets = self.task.state_dict().values()
            for target, part, source in zip(targets, self._parts, self._sources, strict=True):
                target.copy_(whole(with_part(part, source)))
        return self.task

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes averages by name, as the state of ``gathered`` has them."""
        self.task.load_state_dict(tensors)
        if self._holds_parts:
            targets = self.task.state_dict().values()
            for target, part, source in zip(targets, self._parts, self._sources, strict=True):
                part.copy_(own_part(shared_out_like(target, source)))


def _split(tensors: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Those that can be averaged, and counters that are copied."""
    return (
        [t for t in tensors if t.is_floating_point()],
        [t for t in tensors if not t.is_floating_point()],
    )
