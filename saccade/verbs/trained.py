"""What a training came to."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from saccade.reporting.making import first_use
from saccade.reporting.wording import duration, figure_name, things_of
from saccade.verbs.voice import Voice


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What training came to.

    Attributes:
        run: the run folder.
        job: what was learned.
        split: on which pictures the figures were taken: ``test``; ``val`` where there is none;
            ``train`` where there were too few pictures to hold any back.
        n: how many pictures that were.
        metrics: the figures, by name, as fractions.
        intervals: their 95 % confidence intervals.
        headline: the name of the figure that people look at first.
        steps: optimiser steps made.
        seconds: wall clock of the whole call.
        report: the page to open.
    """

    run: Path
    job: str
    split: str
    n: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    headline: str
    steps: int
    seconds: float
    report: Path

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self) | {"run": str(self.run), "report": str(self.report)})

    @classmethod
    def from_json(cls, text: str) -> "TrainResult":
        """The inverse of ``to_json``."""
        fields = json.loads(text)
        intervals = {name: tuple(ends) for name, ends in fields["intervals"].items()}
        paths = {name: Path(fields[name]) for name in ("run", "report")}
        return cls(**(fields | paths | {"intervals": intervals}))


def conclude(result: TrainResult, voice: Voice) -> None:
    """Says it, and what to do next."""
    low, high = result.intervals[result.headline]
    voice.head(
        f"{figure_name(result.headline)} {result.metrics[result.headline]:.4f} on {result.n:,} "
        f"{result.split} {things_of(result.job)} "
        f"(95 % interval {low:.4f} to {high:.4f}), {duration(result.seconds)}"
    )
    voice.say(f"  report:  {result.report}")
    voice.say(f"  next:    {first_use(result.job, result.run)}")
