"""Numbers are short, never claim more than they hold, and have a dash when there is none."""

import pytest

from saccade.reporting.wording import (
    NOTHING,
    count,
    duration,
    figure_name,
    number,
    percent,
    plain,
    short_count,
)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.9712, "97.1 %"),
        (1.0, "100 %"),
        (0, "0 %"),
        (0.99999, "99.9 %"),
        (0.00001, "0.1 %"),
        (None, NOTHING),
        (float("nan"), NOTHING),
    ],
)
def test_percent_never_rounds_to_perfection(fraction: float | None, text: str):
    assert percent(fraction).replace("\u202f", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, NOTHING),
        (3.4, "3 s"),
        (59.7, "1 min 0 s"),
        (279, "4 min 39 s"),
        (3599.6, "1 h 0 min"),
    ],
)
def test_durations(seconds: float | None, text: str):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(17, "17"), (334558, "335 k"), (21_500_000, "21.5 M"), (2e9, "2 G")]
)
def test_short_counts(value: float, text: str):
    assert short_count(value).replace("\u202f", " ") == text


def test_numbers_and_counts():
    assert (number(0.12345), number(None), number(float("inf"))) == ("0.123", NOTHING, NOTHING)
    assert count(1234567) == "1,234,567"


def test_settings_read_like_prose():
    assert plain([0.1 + 0.2, True, None, "pad"]) == f"0.3, yes, {NOTHING}, pad"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ap50", "AP50"),
        ("ap_small", "AP of small objects"),
        ("ar_10", "AR at 10"),
        ("detections_per_object", "detections per object"),
    ],
)
def test_figures_have_the_names_that_people_write(name: str, words: str) -> None:
    assert figure_name(name) == words
