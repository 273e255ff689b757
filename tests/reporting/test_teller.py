"""Things are done in order by another thread; what fails or hangs is said once, nobody waits."""

import threading
import time

from saccade.reporting.teller import MOST_WAITING, Teller

GOES_ON = threading.Event()


def hang(_: object) -> None:
    GOES_ON.wait()


def far() -> float:
    return time.monotonic() + 60


def test_things_are_done_in_order_and_not_in_this_thread() -> None:
    said, heard = list[str](), list[tuple[int, bool]]()
    teller = Teller("it", heard, say=said.append)
    main = threading.current_thread()
    for number in range(20):
        teller.tell(lambda to, n=number: to.append((n, threading.current_thread() is main)))
    teller.tell_last(lambda to: to.append((20, False)))
    teller.wait(until=far())

    assert heard == [(number, False) for number in range(21)]
    assert said == []


def test_after_a_failure_nothing_more_is_done_and_it_is_said_once() -> None:
    said, heard = list[str](), list[int]()

    def fail(to: list[int]) -> None:
        raise OSError("no route")

    teller = Teller("it", heard, say=said.append)
    teller.tell(fail)
    teller.tell(lambda to: to.append(1))
    teller.tell_last(lambda to: to.append(2))
    teller.wait(until=far())

    assert heard == []
    assert said == ["  it failed and hears no more of this run: no route"]


def test_a_failure_of_the_last_thing_is_said_too() -> None:
    said = list[str]()
    teller = Teller("it", [], say=said.append)
    teller.tell_last(lambda to: to.pop())
    teller.wait(until=far())

    assert said == ["  it failed and hears no more of this run: pop from empty list"]


def test_one_that_hangs_is_left_out_when_it_is_far_behind() -> None:
    said = list[str]()
    teller = Teller("it", object(), say=said.append)
    for _ in range(MOST_WAITING + 5):
        teller.tell(hang)
    teller.tell_last(hang)
    teller.wait(until=time.monotonic())

    assert said == ["  it failed and hears no more of this run: it is 1000 records behind"]
    GOES_ON.set()


def test_nobody_waits_for_one_that_was_told_nothing() -> None:
    said = list[str]()
    Teller("it", [], say=said.append).wait(until=far())
    assert said == []
