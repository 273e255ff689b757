"""Which samples were taken from the same thing: clips of one video, words of one speaker.

A model that is tested on a speaker whom it learned from is tested on an easier question than the
one that matters. ``groups.csv`` beside the data says who belongs together, a line each::

    clip,group
    wave/clip1.mp4,video 1
    */F01_*,speaker F01

A clip is a path below the source, or a pattern with ``*``; the first line that fits decides. A clip
that no line fits is a group of its own.
"""

import csv
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from saccade.data.samples import Samples, count
from saccade.errors import DataError

GROUPS_FILE = "groups.csv"

_COLUMNS = ["clip", "group"]
_SHOWN = 5


class Groups(NamedTuple):
    """Who belongs together.

    Attributes:
        numbers: of each sample's group.
        names: of each group; a sample that is a group of its own gives it its own name.
    """

    numbers: Int64[np.ndarray, " N"]
    names: tuple[str, ...]


def read_groups(path: Path, samples: Sequence[str]) -> tuple[Groups | None, list[str]]:
    """Reads ``groups.csv`` where there is one.

    Args:
        path: of the file.
        samples: their paths below the source.

    Returns:
        The groups, or None without a file; and what a person should hear.

    Raises:
        DataError: the file is not such a table, or none of its lines fits any sample.
    """
    if not path.is_file():
        return None, []
    exact, patterns = _rows(path)
    names: dict[str, int] = {}
    numbers = np.empty(len(samples), dtype=np.int64)
    alone = 0
    for k, sample in enumerate(samples):
        group = exact.get(sample)
        if group is None:
            group = next((each for pattern, each in patterns if fnmatchcase(sample, pattern)), None)
        alone += group is None
        # A name that no line of a table can give: cells hold no zero byte.
        numbers[k] = names.setdefault(f"{sample}\0" if group is None else group, len(names))
    if alone == len(samples):
        raise DataError(
            f"{path}: none of its lines fits any of {count(len(samples), 'clip')}, such as "
            f"{samples[0]}. The column clip has paths below the source, or patterns with *"
        )
    groups = Groups(numbers, tuple(name.rstrip("\0") for name in names))
    notes = [f"{GROUPS_FILE}: {count(len(names) - alone, 'group')}, each kept in one split"]
    if alone:
        notes.append(f"{GROUPS_FILE} has no line for {count(alone, 'clip')}, each kept by itself")
    return groups, notes


def require_apart(given: str, splits: Mapping[str, Samples], groups: Groups) -> None:
    """Makes sure that the splits of a source share no group.

    Raises:
        DataError: some do; they are named.
    """
    seen: dict[int, str] = {}
    torn: dict[str, None] = {}
    for split, samples in splits.items():
        assert samples.groups is not None
        for number in samples.groups.tolist():
            if seen.setdefault(number, split) != split:
                torn[f"{groups.names[number]} (in {seen[number]} and {split})"] = None
    if torn:
        shown = ", ".join(list(torn)[:_SHOWN]) + (", ..." if len(torn) > _SHOWN else "")
        raise DataError(
            f"{given}: {count(len(torn), 'group')} of {GROUPS_FILE} on both sides of a split: "
            f"{shown}. Move each into one split; or, where the split is meant so, take the lines "
            f"out of {GROUPS_FILE}"
        )


def _rows(path: Path) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The lines of the table: paths, and patterns in their order."""
    exact: dict[str, str] = {}
    patterns: list[tuple[str, str]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if not rows or [cell.strip().lower() for cell in rows[0]] != _COLUMNS:
        found = ",".join(rows[0]) if rows else "nothing"
        raise DataError(f"{path} begins with {found!r}; expected the line clip,group")
    for number, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != 2 or not all(cells):
            raise DataError(f"{path}, line {number}: {','.join(row)!r}; expected a clip, a group")
        clip, group = cells
        if "*" in clip:
            patterns.append((clip, group))
        else:
            exact.setdefault(clip, group)
    return exact, patterns
