"""Keeping the promise of a wall-clock budget on a machine whose speed changes.

A number of steps planned at the start is right only while the machine keeps its speed. So the plan
is looked at again as the run goes on, and the schedule bends to the new number of steps.
"""

import time

TOLERANCE = 0.04
"""The plan stays as long as it is off by less than this share of the steps left."""


class Pace:
    """Plans how many steps still fit.

    Args:
        training_seconds: how long to train; None: never re-plan.
    """

    def __init__(self, training_seconds: float | None) -> None:
        self._training_seconds = training_seconds
        self._start: tuple[float, int] | None = None

    def restart(self) -> None:
        """Measures the speed anew, from the next look on: the training went back."""
        self._start = None

    def planned_steps(self, *, step: int, planned: int, seconds: float) -> int:
        """The total number of steps, corrected when the speed so far says so.

        Args:
            step: steps made.
            planned: the total planned so far.
            seconds: training time spent so far.

        Returns:
            The same total, or a new one; never fewer than one more step.
        """
        if self._training_seconds is None or step >= planned:
            return planned
        if self._start is None:  # the first steps, while memory is claimed, are slower
            self._start = (seconds, step)
            return planned
        start, first = self._start
        seconds_per_step = (seconds - start) / (step - first)
        fitting = max(1, int((self._training_seconds - seconds) / seconds_per_step))
        if abs(fitting - (planned - step)) <= max(1, TOLERANCE * (planned - step)):
            return planned
        return step + fitting


class Clock:
    """Training time over all the processes that worked on this run.

    Args:
        spent: seconds of the processes before this one.
    """

    def __init__(self, *, spent: float) -> None:
        self._spent = spent
        self._start = time.monotonic()

    def seconds(self) -> float:
        """So far."""
        return self._spent + time.monotonic() - self._start
