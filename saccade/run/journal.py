"""What is heard of a training: the log, and whoever watches; of several processes, the first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saccade.run.records import Records
from saccade.run.state import RunState
from saccade.run.watcher import Watcher


class Journal:
    """Writes records and tells the watcher, or keeps silent.

    Args:
        path: of the log.
        watcher: hears of each step and each record.
        is_silent: for all processes of a training but one.
    """

    def __init__(self, path: Path, watcher: Watcher, *, is_silent: bool) -> None:
        self._watcher = watcher
        self._records = None if is_silent else Records(path)

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """After each step, with its figures."""
        if self._records is not None:
            self._watcher.step(state, figures)

    def write(self, kind: str, **fields: Any) -> None:
        """A record of the log; see ``Records.write``."""
        if self._records is not None:
            self._records.write(kind, **fields)
            self._watcher.record(kind, fields)

    def size(self) -> int:
        """The length of the log in bytes."""
        return 0 if self._records is None else self._records.size()

    def cut(self, num_bytes: int) -> None:
        """Forgets what was logged after a checkpoint."""
        if self._records is not None:
            self._records.cut(num_bytes)
