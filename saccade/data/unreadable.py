"""Which samples cannot be read, and when they are too many."""

import numpy as np

from saccade.data.reading import Read
from saccade.data.samples import Samples
from saccade.errors import DataError

_FEWEST_SEEN = 20  # samples before their bad share means anything
_SHOWN = 5


class Unreadable:
    """Remembers what became of each sample.

    Args:
        samples: to be read.
        most: the share that may be unreadable.

    Attributes:
        reasons: of the unreadable ones met so far, by name.
        is_bad: which they are, by position in the samples.
    """

    def __init__(self, samples: Samples, *, most: float) -> None:
        self.reasons: dict[str, str] = {}
        self.is_bad = np.zeros(len(samples), dtype=bool)
        self._is_seen = np.zeros(len(samples), dtype=bool)
        self._samples, self._most = samples, most

    @property
    def num_seen(self) -> int:
        """How many samples were met."""
        return int(self._is_seen.sum())

    def note(self, read: Read, *, num_judged: int | None) -> None:
        """Notes what was read and what was not, and stops when that is too much.

        Args:
            read: the latest result.
            num_judged: the samples that the bad ones are a share of; None: those seen so far, as
                soon as they are enough to judge.

        Raises:
            DataError: more are unreadable than allowed.
        """
        samples = self._samples
        self._is_seen[read.positions] = True
        for position, reason in read.bad.items():
            self._is_seen[position] = self.is_bad[position] = True
            self.reasons[samples.pictures.name(int(samples.ids[position]))] = reason
        if not self.reasons:
            return

        num_bad, num_seen = int(self.is_bad.sum()), self.num_seen
        if num_judged is None:
            num_judged = num_seen
            if num_seen < min(_FEWEST_SEEN, len(samples)):
                return
        if num_bad > self._most * num_judged:
            raise DataError(
                f"{num_bad} of {num_judged} {samples.noun}s ({num_bad / num_judged:.1%}) "
                f"cannot be read; {self._most:.1%} are allowed "
                "(data.max_bad_fraction). Repair or remove them, or allow more. "
                f"The first:{self._first()}"
            )

    def check_any_left(self) -> None:
        """Training on nothing would wait for ever.

        Raises:
            DataError: no sample can be read.
        """
        if self.is_bad.all():
            raise DataError(
                f"none of {len(self._samples)} {self._samples.noun}s can be read. "
                f"The first:{self._first()}"
            )

    def _first(self) -> str:
        shown = list(self.reasons.items())[:_SHOWN]
        return "".join(f"\n  {name}: {reason}" for name, reason in shown)
