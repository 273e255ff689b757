"""Who watches a training."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from saccade.run.state import RunState


@runtime_checkable
class Watcher(Protocol):
    """Who watches: a bar on a terminal, lines in a file, or nobody."""

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """After each step, with that step's figures."""
        ...

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """After each record of the log."""
        ...
