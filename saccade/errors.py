"""What can go wrong in a user's hands, as one small tree.

    SaccadeError            exit code 1   something failed
    ├── UsageError          exit code 2   asks for something that is not there
    ├── DataError           exit code 3   the data is bad
    └── Stopped             exit code 130 or 143: a signal came, and the work is saved

Each message says what was given, what was expected and what to do. Broken invariants are
``assert``, not these.
"""

import difflib
from collections.abc import Iterable


class SaccadeError(Exception):
    """Something failed that the user should hear about in one message, without a traceback."""

    exit_code = 1


class UsageError(SaccadeError):
    """The command or call names something that does not exist or cannot be combined."""

    exit_code = 2


class DataError(SaccadeError):
    """The pictures, labels or files given cannot be used."""

    exit_code = 3


class Stopped(SaccadeError):
    """A signal stopped the work after everything was saved.

    Attributes:
        exit_code: 128 plus the signal's number: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def nearest(given: str, known: Iterable[str]) -> str:
    """A half-sentence that offers the known name closest to a misspelt one.

    Returns:
        ``"did you mean 'x'?"``, or the whole list of known names when none is close.
    """
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are: {', '.join(names)}"
