"""How a verb talks while it works: a bar on a terminal, plain lines elsewhere, always on stderr."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from saccade.reporting.wording import duration, figure_name
from saccade.run.state import RunState

LINE_EVERY_SECONDS = 10.0
"""Between two plain lines of progress, where there is no terminal."""


NUM_FIGURES = 3
"""Of a training step, and of a validation, that a line shows: the first ones."""


class Voice:
    """Says things on stderr.

    Args:
        is_quiet: say nothing at all.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=is_quiet, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """One line or a few."""
        self.console.print(text, markup=False)

    def head(self, text: str) -> None:
        """One line that opens a part."""
        self.console.print(text, style="bold", markup=False)

    def counting(self, what: str) -> Callable[[int, int], None]:
        """A function of (done, total) that reports at most every few seconds."""
        last = time.monotonic()

        def report(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= LINE_EVERY_SECONDS / 2:
                last = now
                self.say(f"  {what}: {done:,} of {total:,}")

        return report

    def training(self, noun: str) -> "TrainingVoice":
        """Watches a training run; ``noun`` is what a person calls a sample."""
        return TrainingVoice(self.console, noun)


class TrainingVoice:
    """Rate, loss, accuracy and time left, as a live bar or as a line now and then."""

    def __init__(self, console: Console, noun: str) -> None:
        self._console = console
        self._noun = noun
        self._bar: Progress | None = None
        self._row = TaskID(0)
        self._figures: dict[str, float] = {}
        self._rate = 0.0
        self._last_line = time.monotonic()
        self._started: tuple[float, int] | None = None

    def __enter__(self) -> "TrainingVoice":
        if self._console.is_terminal and not self._console.quiet:
            self._bar = Progress(
                TextColumn("train"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._row = self._bar.add_task("", total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """After each step: smooths the figures and moves the bar."""
        blend = 1.0 if self._started is None else 0.05
        for name in [name for name in figures if name != "grad_norm"][:NUM_FIGURES]:
            before = self._figures.get(name, 0.0)
            self._figures[name] = before + blend * (figures[name] - before)
        said = "  ".join(f"{figure_name(name)} {x:.3f}" for name, x in self._figures.items())
        now = time.monotonic()
        if self._started is None:
            self._started = (now, state.step)
        if self._bar is not None:
            self._bar.update(
                self._row,
                completed=state.step,
                total=state.planned_steps,
                description=f"{said}  {self._rate:,.0f}/s",
            )
        elif now - self._last_line >= LINE_EVERY_SECONDS:
            self._last_line = now
            start, first = self._started
            left = (state.planned_steps - state.step) * (now - start) / max(state.step - first, 1)
            self._console.print(
                f"  step {state.step:,} of {state.planned_steps:,}  {said}  "
                f"{self._rate:,.0f} {self._noun}s/s  {duration(left)} left",
                markup=False,
            )

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """After each record: says what validation found."""
        if kind == "train":
            self._rate = fields["images_per_second"]
        elif kind == "eval":
            figures = list(fields["metrics"].items())[:NUM_FIGURES]
            said = "  ".join(f"{figure_name(name)} {value:.4f}" for name, value in figures)
            self._console.print(
                f"  step {fields['step']:,}  epoch {fields['epoch']:.1f}  validation: {said}",
                markup=False,
            )
        elif kind == "note":
            self._console.print(f"  {fields['text']}", markup=False)
