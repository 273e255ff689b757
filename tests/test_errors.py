"""Each kind of failure has its exit code, and a misspelt name is answered with the nearest one."""

import pytest

from saccade.errors import DataError, SaccadeError, Stopped, UsageError, nearest


@pytest.mark.parametrize(
    ("kind", "exit_code"), [(SaccadeError, 1), (UsageError, 2), (DataError, 3)]
)
def test_each_error_has_its_exit_code(kind: type[SaccadeError], exit_code: int) -> None:
    assert kind("why").exit_code == exit_code
    assert str(kind("why")) == "why"


@pytest.mark.parametrize(("signal_number", "exit_code"), [(2, 130), (15, 143)])
def test_a_signal_gives_128_plus_its_number(signal_number: int, exit_code: int) -> None:
    stopped = Stopped("stopped; the work is saved", signal_number=signal_number)

    assert stopped.exit_code == exit_code
    assert str(stopped) == "stopped; the work is saved"


@pytest.mark.parametrize("kind", [UsageError, DataError])
def test_one_except_clause_catches_them_all(kind: type[SaccadeError]) -> None:
    assert issubclass(kind, SaccadeError)
    assert issubclass(Stopped, SaccadeError)


def test_a_near_miss_is_offered() -> None:
    assert nearest("weigth_decay", ["lr", "weight_decay", "warmup"]) == (
        "did you mean 'weight_decay'?"
    )


def test_the_nearest_of_several_is_offered() -> None:
    assert nearest("rollot", ["rollout", "roll", "rotate"]) == "did you mean 'rollout'?"


def test_a_name_like_nothing_known_is_answered_with_the_sorted_list() -> None:
    assert nearest("zzz", ["legrad", "gradcam"]) == "known are: gradcam, legrad"


def test_the_known_names_may_come_from_any_iterable() -> None:
    assert nearest("vitt", {"vit": 1, "cnn": 2}) == "did you mean 'vit'?"
    assert nearest("vitt", (name for name in ["vit", "cnn"])) == "did you mean 'vit'?"
