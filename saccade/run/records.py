"""The log of a run: one JSON object a line, cut back exactly when a run resumes."""

import json
import os
from pathlib import Path
from typing import Any


class Records:
    """Appends to ``log.jsonl``.

    Args:
        path: the log file; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def write(self, kind: str, **fields: Any) -> None:
        """Appends one record. Field names carry their units (``seconds``, ``images_per_second``).

        Args:
            kind: ``train``, ``eval``, ``plan`` (another number of steps) or ``note``.
            **fields: plain data.
        """
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **fields}, ensure_ascii=False) + "\n")

    def size(self) -> int:
        """The length of the log in bytes; a checkpoint keeps it."""
        return self.path.stat().st_size

    def cut(self, num_bytes: int) -> None:
        """Forgets what was logged after a checkpoint, so that resuming logs nothing twice."""
        os.truncate(self.path, min(num_bytes, self.size()))
