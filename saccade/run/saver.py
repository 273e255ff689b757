"""Checkpoints written in the background, so that training does not wait for the disk."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from torch import Tensor

from saccade.run import checkpoint


class Saver:
    """Writes one checkpoint at a time; what it was given is copied before training goes on.

    Use as a context: leaving it waits for what is still being written.

    Args:
        folder: where checkpoints of this run lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="saccade-save")
        self._pending: Future[None] | None = None

    def save(self, *, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Begins to save; see ``saccade.run.checkpoint.save``.

        Raises:
            SaccadeError: the save before this one failed.
        """
        self.finish()
        copies = {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
        self._pending = self._pool.submit(
            checkpoint.save, self._folder, step=step, tensors=copies, state=dict(state)
        )

    def look(self) -> None:
        """Hears how the last save went, if that is known by now.

        Raises:
            SaccadeError: it failed; the checkpoints before it are intact.
        """
        if self._pending is not None and self._pending.done():
            self.finish()

    def finish(self) -> None:
        """Waits until everything is on the disk.

        Raises:
            SaccadeError: the last save failed; the checkpoints before it are intact.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def __enter__(self) -> "Saver":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True)
        if error is None:
            self.finish()
