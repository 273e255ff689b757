"""What is written on a picture can be read: no letter becomes a box."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from saccade.jobs import lettering
from saccade.jobs.drawing import captioned
from saccade.jobs.lettering import legible

HAN, KANA, ODD = "\u4e2d", "\u3042", "\ue000"  # the last one is in none but mathematical fonts
STIX = str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "STIXNonUni.ttf")


@pytest.fixture(autouse=True)
def fonts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The fonts that the system has: none, unless a test adds some."""
    found: list[str] = []
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: found)
    monkeypatch.setattr(lettering, "_SYSTEM_FONTS", {})
    return found


@pytest.mark.parametrize("text", ["cat 0.91", "\u043a\u043e\u0442", "z\u00fcrich \u2026", " a\nb "])
def test_letters_that_our_font_has_stay_as_they_are(text: str) -> None:
    shown, font = legible(text, 10)
    assert shown == text
    assert Path(str(font.path)).name == "DejaVuSans.ttf"


def test_letters_that_no_font_has_are_spelt_by_number() -> None:
    assert legible(f"{HAN}{KANA} 0.91", 10)[0] == "U+4E2D U+3042 0.91"
    assert legible(f"a{ODD}\u3000b", 10)[0] == "a U+E000 b"


def test_a_font_of_the_system_is_taken_where_one_has_the_letters(fonts: list[str]) -> None:
    fonts += ["/no/such/font.ttf", STIX]
    shown, font = legible(f"{ODD} {HAN}", 10)
    assert font.path == STIX
    assert shown == f"{ODD} U+4E2D"


def test_a_caption_of_two_names_is_not_the_same_boxes_twice() -> None:
    black = np.zeros((96, 96, 3), np.uint8)
    one, other = (np.asarray(captioned(black, each)) for each in (HAN, KANA))
    assert (one != other).any()
