"""Files that name classes: by their order, by the numbers that masks hold, or by colours."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from saccade.errors import DataError

CLASS_FILES = (
    *("classes.txt", "classes.csv", "class_dict.csv", "labels.txt", "labelmap.txt"),
    *("label_colors.txt", "palette.txt", "obj.names", "_classes.txt"),
)
"""What such files are called, the first that is there counts."""

_COLOUR = r"(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})"
_FORMS = {
    "colour first": re.compile(rf"{_COLOUR}[\s,:]+(?P<name>\S.*?)"),
    "name first": re.compile(rf"(?P<name>\S.*?)[\s,:]+{_COLOUR}(?::.*)?"),
    "numbered": re.compile(r"(?P<number>\d+)\s*[:=]\s*(?P<name>\S.*?)"),
    "plain": re.compile(r"(?P<name>\S.*?)"),
}
_HEADS = ("name,r,g,b", "name, r, g, b", "r,g,b,name")


@dataclass(frozen=True, kw_only=True)
class ClassList:
    """Named classes.

    Attributes:
        names: of classes 0 to K - 1.
        numbers: what a mask holds for each; the class id itself where the file says nothing else.
        colours: what a coloured mask shows for each; None where the file says nothing of colours.
    """

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    colours: tuple[tuple[int, int, int], ...] | None


def find_class_list(root: Path, folders: Iterable[str]) -> Path | None:
    """The first class file in these folders (paths below ``root``, "" for itself)."""
    places = (root / folder / name for folder in folders for name in CLASS_FILES)
    return next((path for path in places if path.is_file()), None)


def read_class_list(path: Path) -> ClassList:
    """Reads a file that has one class a line.

    A line is a name; or a number and a name (``255: cell``); or a colour and a name
    (``128 64 128 road`` or ``road, 128, 64, 128``). Empty lines and those that begin with ``#``
    do not count.

    Raises:
        DataError: the lines are of different forms, a name or number comes twice, a colour is out
            of range, or there is none.
    """
    text = path.read_text("utf-8", "replace")
    lines = [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#")
    ]
    if lines and lines[0][1].lower() in _HEADS:
        lines = lines[1:]
    if not lines:
        raise DataError(f"{path} names no class; expected one name a line")
    form, pattern = next(
        (form, pattern) for form, pattern in _FORMS.items() if pattern.fullmatch(lines[0][1])
    )
    found: list[tuple[str, tuple[int, ...]]] = []
    for number, line in lines:
        match = pattern.fullmatch(line)
        if match is None:
            raise DataError(
                f"{path}, line {number}: {line!r} is of another form than the first line "
                f"({lines[0][1]!r}). Write every line alike: a name; a number, a colon and a name; "
                "or red, green, blue and a name."
            )
        found.append((match["name"], _numbers(match, form, where=f"{path}, line {number}")))
    names = tuple(name for name, _ in found)
    values = tuple(numbers for _, numbers in found)
    for what, all_of in (("name", names), ("number or colour", [each for each in values if each])):
        if len(set(all_of)) < len(all_of):
            twice = next(each for each in all_of if list(all_of).count(each) > 1)
            raise DataError(f"{path}: two lines have the {what} {twice!r}; each must be different")
    is_coloured = form in ("colour first", "name first")
    numbered = [each[0] for each in values] if form == "numbered" else range(len(names))
    return ClassList(
        names=names,
        numbers=tuple(numbered),
        colours=tuple((r, g, b) for r, g, b in values) if is_coloured else None,
    )


def _numbers(match: re.Match[str], form: str, *, where: str) -> tuple[int, ...]:
    if form == "plain":
        return ()
    if form == "numbered":
        return (int(match["number"]),)
    at = 1 if form == "colour first" else 2
    colour = tuple(int(match[group]) for group in range(at, at + 3))
    if max(colour) > 255:
        raise DataError(f"{where}: the colour {colour} is out of range; each part is 0 to 255")
    return colour
