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


class Watchers:
    """Several who watch the same training.

    Args:
        watchers: told in this order.
    """

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """See ``Watcher``."""
        for watcher in self._watchers:
            watcher.step(state, figures)

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """See ``Watcher``."""
        for watcher in self._watchers:
            watcher.record(kind, fields)
