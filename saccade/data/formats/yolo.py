"""YOLO: a text file beside each picture, a line for each object, in shares of the picture's sides.

A line is ``class x y width height`` (the box's centre) or ``class x1 y1 x2 y2 x3 y3 ...`` (an
outline): https://docs.ultralytics.com/datasets/detect and /segment.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.formats.class_lists import CLASS_FILES, read_class_list
from saccade.data.formats.objects import Described, box_source
from saccade.data.formats.twins import settle_splits, split_in
from saccade.data.listing import Ignored, Listing
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Source, count
from saccade.errors import DataError

_MAX_YAML_BYTES = 1_000_000


class YoloPlaces(NamedTuple):
    """Where things lie, as paths below the source.

    Attributes:
        texts: for each picture its text file; None where it has none.
        names: the file that names the classes.
    """

    texts: dict[str, str | None]
    names: str | None


def find_yolo(listing: Listing) -> YoloPlaces | None:
    """Looks for text files in a folder ``labels``, of pictures in a folder ``images``."""
    others = set(listing.others)
    texts: dict[str, str | None] = {}
    for name in listing.pictures:
        parts = name.split("/")
        folder = next((k for k in reversed(range(len(parts) - 1)) if parts[k] == "images"), None)
        if folder is None:
            continue
        stem = "/".join([*parts[:folder], "labels", *parts[folder + 1 :]]).rpartition(".")[0]
        texts[name] = f"{stem}.txt" if f"{stem}.txt" in others else None
    if not any(texts.values()):
        return None
    tops = sorted(listing.others, key=lambda name: (name.count("/"), name))
    wanted = (".yaml", ".yml")
    named = [name for name in tops if name.lower().endswith(wanted) and name.count("/") <= 1]
    named += [name for name in tops if name.rpartition("/")[2] in CLASS_FILES]
    return YoloPlaces(texts, named[0] if named else None)


def open_yolo(given: str, root: Path, listing: Listing, places: YoloPlaces) -> Source:
    """The source; a picture without a text file, or with an empty one, has no objects.

    Raises:
        DataError: the classes have no names, or a text file is not of this form.
    """
    class_names = _class_names(given, root, places)
    ignored = [*listing.ignored]
    pictures: list[Described] = []
    files = PictureFiles(root, tuple(places.texts))
    outlines = 0
    for i, (name, text) in enumerate(places.texts.items()):
        try:
            header = files.header(i)
        except UnreadablePicture as error:
            ignored.append(Ignored(name, f"cannot be read: {error}"))
            continue
        lines = [] if text is None else _read(root / text, text, class_names)
        outlines += sum(line.is_outline for line in lines)
        sides = np.array([header.width, header.height] * 2)
        shares = np.array([line.box for line in lines], dtype=np.float64).reshape(-1, 4)
        pictures.append(
            Described(
                name=name,
                split=split_in(name),
                height=header.height,
                width=header.width,
                boxes_xyxy=shares * sides,
                labels=np.array([line.label for line in lines], dtype=np.int64),
                is_crowd=np.zeros(len(lines), dtype=bool),
            )
        )
    used = {text for text in places.texts.values() if text is not None}
    ignored += [
        Ignored(name, "no picture of this name")
        for name in listing.others
        if name.endswith(".txt") and "/labels/" in f"/{name}" and name not in used
    ]
    ignored += [
        Ignored(name, "outside the folder images")
        for name in listing.pictures
        if name not in places.texts
    ]
    splits, outside = settle_splits([(each.name, each.split) for each in pictures])
    ignored += outside
    bare = sum(text is None for text in places.texts.values())
    notes = [f"{count(bare, 'picture')} without a text file"] if bare else []
    if outlines:
        notes.append(f"{count(outlines, 'outline')}: the boxes round them are used")
    return box_source(
        given,
        root,
        [each for each in pictures if each.split in splits],
        kind="YOLO boxes",
        class_names=class_names,
        notes=notes,
        ignored=ignored,
    )


@dataclass(frozen=True, kw_only=True)
class _Line:
    """An object: its class, and left, top, right, bottom in shares of the sides."""

    label: int
    box: tuple[float, float, float, float]
    is_outline: bool


def _read(path: Path, name: str, class_names: tuple[str, ...]) -> list[_Line]:
    lines = []
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            first, *values = (float(word) for word in line.split())
        except ValueError:
            first, values = math.nan, []
        if not all(map(math.isfinite, (first, *values))):
            raise DataError(f"{where}: expected numbers, found {line.strip()!r}")
        is_outline = len(values) >= 6 and len(values) % 2 == 0
        if len(values) != 4 and not is_outline:
            raise DataError(
                f"{where}: {len(values)} numbers after the class; expected 4 (x, y, width, height "
                "in shares of the picture's sides), or x and y of at least 3 corners"
            )
        if first != int(first) or not 0 <= first < len(class_names):
            raise DataError(
                f"{where}: class {line.split()[0]} has no name; there are {len(class_names)} "
                f"names, of classes 0 to {len(class_names) - 1}"
            )
        if max(map(abs, values)) > 2:  # a box may reach out a little, pixels would be far more
            raise DataError(
                f"{where}: {line.strip()!r} looks like pixels; expected shares of the picture's "
                "sides, 0 to 1"
            )
        box = _round_corners(values) if is_outline else _round_centre(values)
        lines.append(_Line(label=int(first), box=box, is_outline=is_outline))
    return lines


def _round_centre(values: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, width, height = values
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _round_corners(values: Sequence[float]) -> tuple[float, float, float, float]:
    return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])


def _class_names(given: str, root: Path, places: YoloPlaces) -> tuple[str, ...]:
    if places.names is None:
        raise DataError(
            f"{given}: YOLO labels, but nothing names their classes. Put a data.yaml with names, "
            "or a classes.txt with one name a line, beside images and labels."
        )
    path = root / places.names
    if not places.names.lower().endswith((".yaml", ".yml")):
        return read_class_list(path).names
    names = _load_yaml(path, places.names).get("names")
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            raise DataError(
                f"{places.names}: names numbers its classes {sorted(names, key=str)}; expected 0 "
                f"to {len(names) - 1}, each once"
            )
        names = [names[k] for k in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DataError(f"{places.names}: expected names, a list of the classes; found {names!r}")
    for k, each in enumerate(names):
        if not isinstance(each, str | int | float):
            raise DataError(
                f"{places.names}: the name of class {k} is a {type(each).__name__}; expected text"
            )
    named = tuple(str(each) for each in names)
    if len(set(named)) < len(named):
        twice = next(each for each in named if named.count(each) > 1)
        raise DataError(f"{places.names}: two classes are called {twice!r}; each must be different")
    return named


def _load_yaml(path: Path, name: str) -> dict[str, Any]:
    data = path.read_bytes()
    if len(data) > _MAX_YAML_BYTES:
        raise DataError(f"{name}: {len(data):,} bytes are too many for a list of classes")
    try:
        found = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise DataError(f"{name}: broken YAML: {said}") from error
    if not isinstance(found, dict):
        raise DataError(f"{name}: expected keys such as names, found {type(found).__name__}")
    return found
