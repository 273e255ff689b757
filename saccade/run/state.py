"""Where a run stands: the small part of a checkpoint."""

import math
from collections.abc import Mapping
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
        passed_over: batches that no step was made of: without a picture that can be read, or left
            behind when going back to a checkpoint.
        skipped: steps that moved nothing, since their loss or gradient was not finite.
        skipped_in_a_row: the last of them without a good step between.
        micro_batch: pictures computed at a time; 0: all of a batch.
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
    passed_over: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    micro_batch: int = 0

    def advance(self, figures: dict[str, float]) -> None:
        """Counts one step and adds its figures to the sums."""
        self._count()
        self.skipped_in_a_row = 0
        self.summed_steps += 1
        for name, value in figures.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def skip(self) -> None:
        """Counts one step that moved nothing."""
        self._count()
        self.skipped += 1
        self.skipped_in_a_row += 1

    def note_evaluation(self, figure: float, *, is_low: bool) -> bool:
        """Remembers that the weights of this step were evaluated; True when they are the best.

        Any number is better than NaN.
        """
        self.evaluated_step = self.step
        best = self.best_figure
        is_best = best is None or math.isnan(best) or (figure < best if is_low else figure > best)
        if is_best:
            self.best_figure, self.best_step = figure, self.step
        return is_best

    def take_means(self) -> dict[str, float]:
        """The means since the last record; starts new sums."""
        means = {name: total / self.summed_steps for name, total in self.sums.items()}
        self.sums, self.summed_steps = {}, 0
        return means

    def restore(self, fields: Mapping[str, Any]) -> None:
        """Becomes what ``to_json`` said; every holder of this state sees it."""
        for name, value in asdict(RunState(**fields)).items():
            setattr(self, name, value)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def _count(self) -> None:
        self.progress += (1 - self.progress) / max(1, self.planned_steps - self.step)
        self.step += 1
