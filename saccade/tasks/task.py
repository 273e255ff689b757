"""What the training loop needs to know of any job; there is nothing to inherit."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from saccade.data.batch import Batch


@runtime_checkable
class Measure(Protocol):
    """Collects predictions over a data set and turns them into figures."""

    def update(self, batch: Batch) -> None:
        """Predicts one labelled batch and remembers what the figures need."""
        ...

    def figures(self) -> dict[str, float]:
        """The figures so far, by name."""
        ...


@runtime_checkable
class Task(Protocol):
    """A job to learn: any ``nn.Module`` with these methods.

    Attributes:
        best_figure: the name of the figure by which the best weights are chosen.
        best_is_low: whether a smaller one is better.
    """

    best_figure: str
    best_is_low: bool

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Scalars of a training batch: ``loss``, to be made small, and others worth logging."""
        ...

    def metrics(self) -> Measure:
        """An empty collector of this job's figures, which asks this task."""
        ...
