"""One process at a time works on a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from saccade.errors import UsageError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a run folder; the system lets go of it when the process ends, however it ends.

    The lock is on the folder itself, so that it leaves nothing behind. Systems and disks without
    such locks (Windows, some network disks) are worked on as if nobody else were there.

    Args:
        folder: of the run, which exists.

    Raises:
        UsageError: another process holds it.
    """
    if os.name == "nt":
        yield
        return
    import fcntl  # noqa: PLC0415 - not on Windows

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another process is training {folder}; wait until it has ended, or stop it, and "
                "then continue with --resume"
            ) from None
        except OSError:
            pass  # this disk knows no locks
        yield
    finally:
        os.close(descriptor)
