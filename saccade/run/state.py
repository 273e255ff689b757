"""Where a run stands: the small part of a checkpoint."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(kw_only=True)
class RunState:
    """Changes with every step; all of it is in each checkpoint.

    Attributes:
        step: optimiser steps made.
        planned_steps: the total, corrected on the way when there is a budget.
        progress: the share of the training that is done, 0 to 1.
        evaluated_step: the last step at which the validation figures were taken, -1 for none.
        best_figure: the best of them so far, None for none.
        best_step: when it was reached.
        seconds: training time spent so far, over all processes that worked on this run.
        sums: of the training figures since the last record.
        summed_steps: how many steps are in ``sums``.
        log_bytes: how long the log was.
    """

    step: int = 0
    planned_steps: int
    progress: float = 0.0
    evaluated_step: int = -1
    best_figure: float | None = None
    best_step: int = -1
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    summed_steps: int = 0
    log_bytes: int = 0

    def advance(self, figures: dict[str, float]) -> None:
        """Counts one step and adds its figures to the sums."""
        self.progress += (1 - self.progress) / max(1, self.planned_steps - self.step)
        self.step += 1
        self.summed_steps += 1
        for name, value in figures.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def note_evaluation(self, figure: float, *, is_low: bool) -> bool:
        """Remembers that the weights of this step were evaluated; True when they are the best."""
        self.evaluated_step = self.step
        best = self.best_figure
        is_best = best is None or (figure < best if is_low else figure > best)
        if is_best:
            self.best_figure, self.best_step = figure, self.step
        return is_best

    def take_means(self) -> dict[str, float]:
        """The means since the last record; starts new sums."""
        means = {name: total / self.summed_steps for name, total in self.sums.items()}
        self.sums, self.summed_steps = {}, 0
        return means

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)
