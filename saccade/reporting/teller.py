"""Another's program told things in a thread of its own, so that nobody waits for it."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

MOST_WAITING = 1000
"""Things told and not taken yet; one that is further behind is taken to hang."""

T = TypeVar("T")


class Teller(Generic[T]):
    """Tells somebody one thing after the other, until something fails.

    Args:
        name: of who is told.
        listener: who is told; used by no other thread from now on.
        say: hears once that it failed or hangs, in the thread that calls.
    """

    def __init__(self, name: str, listener: T, *, say: Callable[[str], None]) -> None:
        self._name, self._listener, self._say = name, listener, say
        self._waiting: queue.Queue[Callable[[T], None]] = queue.Queue(MOST_WAITING)
        self._error: Exception | None = None
        self._is_started = False
        self._is_last_told = False
        self._is_left_out = False
        # Python does not wait for a daemon when it ends.
        self._thread = threading.Thread(target=self._work, name=f"tell-{name}", daemon=True)

    def tell(self, do: Callable[[T], None]) -> None:
        """Does something with the listener, soon; nothing any more after a failure."""
        self._look()
        if self._is_left_out:
            return
        if not self._is_started:
            self._is_started = True
            self._thread.start()
        try:
            self._waiting.put_nowait(do)
        except queue.Full:
            self._leave_out(f"it is {MOST_WAITING} records behind")

    def tell_last(self, do: Callable[[T], None]) -> None:
        """The same, and the thread ends when that is done."""

        def end(listener: T) -> None:
            self._is_last_told = True
            do(listener)

        self.tell(end)

    def wait(self, *, until: float) -> None:
        """Waits for the last thing that was told.

        Args:
            until: by ``time.monotonic``; what is not done by then is lost.
        """
        if self._thread.is_alive() and not self._is_left_out:
            self._thread.join(max(0.0, until - time.monotonic()))
        self._look()
        if self._thread.is_alive() and not self._is_left_out:
            self._leave_out("it does not end, and what it has not sent by now may be lost")

    def _work(self) -> None:
        while not self._is_last_told:
            try:
                self._waiting.get()(self._listener)
            except Exception as error:  # whatever it may be: it never ends a training
                self._error = error
                return

    def _look(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            self._leave_out(str(error))

    def _leave_out(self, why: str) -> None:
        self._is_left_out = True
        self._say(f"  {self._name} failed and hears no more of this run: {why}")
