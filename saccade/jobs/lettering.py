"""Text on pictures, in letters that there are."""

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font
from PIL import ImageFont

# Matplotlib's, since Pillow's own has the letters of English only. It lacks Chinese, Japanese,
# Korean, Thai, ...: fonts of those are large, so none comes along.
_OWN = str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


def legible(text: str, size_px: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """A text as it can be drawn, and a font for it.

    Letters that our font lacks are taken from a font of the system, all of a text from one; those
    that it lacks too are spelt by number, ``U+4E2D``.
    """
    missing = [letter for letter in text if not (letter.isspace() or _has(_OWN, letter))]
    path = _system_font(missing[0]) if missing else _OWN
    if not missing:
        return text, _font(path, size_px)
    shown = [c if _has(path, c) else f" U+{ord(c):04X} " for c in " ".join(text.split())]
    return " ".join("".join(shown).split()), _font(path, size_px)


def _system_font(letter: str) -> str:
    """The first font that has a letter, looked for once for each script; ours if there is none."""
    script = unicodedata.name(letter, "").replace("-", " ").partition(" ")[0]  # CJK, HANGUL, THAI
    if script not in _SYSTEM_FONTS:
        from matplotlib.font_manager import findSystemFonts  # noqa: PLC0415 - lists every font

        paths = (path for path in sorted(findSystemFonts()) if _has(path, letter))
        _SYSTEM_FONTS[script] = next(paths, _OWN)
    return _SYSTEM_FONTS[script]


_SYSTEM_FONTS: dict[str, str] = {}


def _has(path: str, letter: str) -> bool:
    face = _face(path)
    return face is not None and face.get_char_index(ord(letter)) > 0


@lru_cache(maxsize=8)  # each keeps its file open
def _face(path: str) -> FT2Font | None:
    """A font that can be drawn at any size; None where it is of another kind."""
    try:
        face = FT2Font(path)
    except (OSError, RuntimeError):
        return None
    return face if face.scalable else None


@cache
def _font(path: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size_px)
