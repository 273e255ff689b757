"""Two folders whose pictures belong together by name, with or without splits."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from saccade.data.layout import ALL, SPLIT_NAMES
from saccade.data.listing import Ignored, Listing
from saccade.errors import DataError

SPLIT_FILES = ("index.csv", "splits.csv", "split.csv")
"""Tables that say which picture is in which split."""


class Twin(NamedTuple):
    """Two pictures that belong together, as paths below the source, and their split."""

    first: str
    second: str
    split: str


class Twins(NamedTuple):
    """What two folders hold.

    Attributes:
        prefix: of the folder in which both lie, "" or ending in "/".
        folders: what the two are called.
        pairs: the pictures that have a partner.
        lonely: those of each side that have none.
        twice: those whose name another one of their side has, with another ending; not used.
    """

    prefix: str
    folders: tuple[str, str]
    pairs: list[Twin]
    lonely: tuple[list[str], list[str]]
    twice: list[str]


_Place = tuple[str, tuple[str, str]]
"""The folder in which both lie, and what the two are called."""


def find_twins(
    listing: Listing,
    names: Sequence[tuple[str, str]],
    *,
    endings: Sequence[str] = (),
) -> Twins | None:
    """Looks for two folders of these names that hold pictures.

    They lie side by side (``images/a.jpg`` and ``masks/a.png``), each with split folders in it
    (``images/train/a.jpg``), or both in each split folder (``train/images/a.jpg``). Pictures belong
    together when their paths in the two folders are the same but for the ending of the file.

    Args:
        listing: what is in the source.
        names: what the two may be called, in small letters.
        endings: what the second of two may have at the end of its name, such as ``_mask``.

    Returns:
        The outermost such folders; None if there are none.
    """
    places: dict[_Place, tuple[dict[str, str], dict[str, str]]] = {}
    twice: dict[_Place, list[str]] = {}
    for name in listing.pictures:
        parts = name.split("/")
        for k, part in enumerate(parts[:-1]):
            for pair in names:
                if part.lower() not in pair:
                    continue
                side = pair.index(part.lower())
                before, after = parts[:k], [_role(each) or each for each in parts[k + 1 : -1]]
                split = _role(before[-1]) if before else None
                prefix = "/".join(before[:-1] if split else before)
                stem = "/".join([*after, parts[-1].rpartition(".")[0]])
                place = (f"{prefix}/" if prefix else "", pair)
                sides = places.setdefault(place, ({}, {}))
                key = f"{split or ''}/{_without(stem, endings if side else ())}"
                if sides[side].setdefault(key, name) != name:
                    twice.setdefault(place, []).append(name)
    full = {place: sides for place, sides in places.items() if all(sides)}
    if not full:
        return None
    (prefix, pair), (first, second) = min(
        full.items(), key=lambda each: (each[0][0].count("/"), each[0][0])
    )
    pairs = [
        Twin(name, second[key], split_in(name[len(prefix) :]))
        for key, name in first.items()
        if key in second
    ]
    lonely = (
        [name for key, name in first.items() if key not in second],
        [name for key, name in second.items() if key not in first],
    )
    return Twins(prefix, pair, pairs, lonely, twice.get((prefix, pair), []))


def split_in(name: str) -> str:
    """The split that one of a picture's folders says (``train2017`` too), or "all"."""
    return next((role for role in map(_role, name.split("/")[:-1]) if role), ALL)


def settle_splits(pictures: Sequence[tuple[str, str]]) -> tuple[frozenset[str], list[Ignored]]:
    """The splits that count: where some pictures are in one, those in none are left out.

    Args:
        pictures: the name and the split of each.
    """
    splits = frozenset(split for _, split in pictures)
    if splits == {ALL} or ALL not in splits:
        return splits, []
    ignored = [
        Ignored(name, "outside the split folders") for name, split in pictures if split == ALL
    ]
    return splits - {ALL}, ignored


def read_split_file(root: Path, prefix: str) -> tuple[Mapping[str, str], str | None]:
    """Which picture is in which split, from a table beside the folders.

    The table has a head with a column ``split``; its first column names a picture, with or without
    folders and ending.

    Returns:
        The split of each name (without folders and ending), and the name of the file; nothing and
        None where there is none.

    Raises:
        DataError: the table says something else than a split, or two of one picture.
    """
    for name in SPLIT_FILES:
        path = root / prefix / name
        if not path.is_file():
            continue
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = csv.DictReader(file)
            heads = list(rows.fieldnames or ())
            if "split" not in heads[1:]:
                continue
            split_of: dict[str, str] = {}
            for number, row in enumerate(rows, 2):
                said = (row["split"] or "").strip()
                stem = Path(row[heads[0]] or "").stem
                role = SPLIT_NAMES.get(said.lower())
                if role is None:
                    raise DataError(
                        f"{prefix}{name}, line {number}: the split {said!r} is none; expected "
                        "train, val or test"
                    )
                if split_of.setdefault(stem, role) != role:
                    raise DataError(
                        f"{prefix}{name}, line {number}: {stem} is in {split_of[stem]} already; a "
                        "picture can be in one split only"
                    )
            return split_of, f"{prefix}{name}"
    return {}, None


def _role(folder: str) -> str | None:
    return SPLIT_NAMES.get(re.sub(r"\d+$", "", folder.lower()))


def _without(stem: str, endings: Sequence[str]) -> str:
    return next((stem.removesuffix(ending) for ending in endings if stem.endswith(ending)), stem)
