"""Pascal VOC: an XML file beside each picture.

Corners are pixels that belong to the object, counted from 1 (host.robots.ox.ac.uk/pascal/VOC,
development kit, section "annotation"); here a box ends before its right and bottom edge and is
counted from 0, so only left and top change, by one.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from saccade.data.decoding.decode import MAX_PIXELS
from saccade.data.formats.objects import Described, box_source
from saccade.data.layout import ALL, SPLIT_NAMES, class_name_of
from saccade.data.listing import Ignored, Listing, natural_key
from saccade.data.samples import Source
from saccade.data.sources import shared_classes
from saccade.errors import DataError


class VocPlaces(NamedTuple):
    """Where things lie, as paths below the source.

    Attributes:
        prefix: of the folder that holds everything; "" or ending in "/".
        annotations: every XML file, by its name without folder and ending.
        pictures: every picture, by the same.
        lists: the files that say which picture is in which split, by split.
        twice: files of a name that another one has, in another folder or with another ending.
    """

    prefix: str
    annotations: dict[str, str]
    pictures: dict[str, str]
    lists: dict[str, str]
    twice: list[str]


def find_voc(listing: Listing) -> VocPlaces | None:
    """Looks for a folder ``Annotations`` of XML files; None if there is none."""
    folders = {name.rpartition("/")[0] for name in listing.others if name.lower().endswith(".xml")}
    found = sorted((each for each in folders if _last(each) == "annotations"), key=natural_key)
    if not found or not listing.pictures:
        return None
    folder = min(found, key=lambda each: each.count("/"))
    prefix = folder[: len(folder) - len("annotations")]
    if "JPEGImages" in {name[len(prefix) :].partition("/")[0] for name in listing.pictures}:
        pictures = [name for name in listing.pictures if name.startswith(f"{prefix}JPEGImages/")]
    else:
        pictures = [name for name in listing.pictures if name.startswith(prefix)]
    texts = [
        name
        for name in listing.others
        if name.startswith(f"{folder}/") and name.lower().endswith(".xml")
    ]
    annotations, named = by_stem(texts), by_stem(pictures)
    used = {*annotations.values(), *named.values()}
    return VocPlaces(
        prefix=prefix,
        annotations=annotations,
        pictures=named,
        lists=find_lists(listing, f"{prefix}ImageSets/Main/"),
        twice=[name for name in (*texts, *pictures) if name not in used],
    )


def find_lists(listing: Listing, folder: str) -> dict[str, str]:
    """The files of a folder (ending in "/") that say which picture is in which split, by split."""
    lists: dict[str, str] = {}
    for name in listing.others:
        split, dot, ending = name.removeprefix(folder).partition(".")
        if name.startswith(folder) and dot and ending == "txt":
            role = SPLIT_NAMES.get(split.lower(), "train" if split == "trainval" else None)
            # trainval repeats train and val, so it counts only where there is no train.
            if role and (role not in lists or split != "trainval"):
                lists[role] = name
    return lists


def open_voc(given: str, root: Path, listing: Listing, places: VocPlaces) -> Source:
    """The source: every picture that has an XML file and, where there are lists, is in one.

    Raises:
        DataError: an XML file is broken or lacks something, a list is wrong, or nothing fits.
    """
    splits, ignored = read_splits(given, root, places)
    ignored += [Ignored(name, "another file of this name is used") for name in places.twice]
    ignored += [
        Ignored(name, "no picture of this name")
        for stem, name in places.annotations.items()
        if stem not in places.pictures
    ]
    ignored += [
        Ignored(name, "has no annotation file")
        for stem, name in places.pictures.items()
        if stem not in places.annotations
    ]
    stems = [stem for stem in splits if stem in places.pictures and stem in places.annotations]
    if not stems:
        raise DataError(
            f"{given}: none of {len(places.annotations)} annotation files belongs to one of "
            f"{len(places.pictures)} pictures; they are matched by name: a.jpg and a.xml"
        )
    raw = {stem: _read(root, places.annotations[stem]) for stem in stems}
    found: dict[str, set[str]] = {split: set() for split in splits.values()}
    for stem in stems:
        found[splits[stem]] |= set(raw[stem].names)
    class_names = shared_classes(given, found)
    if not class_names:
        raise DataError(f"{given}: no object in any of {len(stems)} annotation files")
    number = {name: label for label, name in enumerate(class_names)}
    pictures = [
        Described(
            name=places.pictures[stem],
            split=splits[stem],
            height=raw[stem].height,
            width=raw[stem].width,
            boxes_xyxy=raw[stem].boxes_xyxy,
            labels=np.array([number[name] for name in raw[stem].names], dtype=np.int64),
            is_crowd=raw[stem].is_difficult,
        )
        for stem in stems
    ]
    notes = [f"everything is in {places.prefix}, so that is the source"] if places.prefix else []
    return box_source(
        given,
        root,
        pictures,
        kind="Pascal VOC boxes",
        class_names=class_names,
        notes=notes,
        ignored=[*listing.ignored, *ignored],
    )


class _Objects(NamedTuple):
    """What one XML file says."""

    height: int
    width: int
    names: list[str]
    boxes_xyxy: np.ndarray
    is_difficult: np.ndarray


def _read(root: Path, name: str) -> _Objects:
    try:
        tree = ElementTree.fromstring((root / name).read_bytes())
    except ElementTree.ParseError as error:
        line, column = error.position
        raise DataError(
            f"{name}: broken XML in line {line}, column {column + 1} ({error.msg}); expected "
            "<annotation> with an <object> for each box"
        ) from error
    except (OSError, ValueError, LookupError) as error:  # the last: of an unknown encoding
        raise DataError(f"{name}: cannot be read: {error}") from error
    height, width = (_number(tree, f"size/{side}", name) for side in ("height", "width"))
    if min(height, width) < 1:
        raise DataError(
            f"{name}: its <size> is {width:g} x {height:g} pixels; write the picture's width and "
            "height there"
        )
    names, boxes, difficult = [], [], []
    for each in tree.findall("object"):
        called = (each.findtext("name") or "").strip()
        if not called:
            raise DataError(f"{name}: an object has no <name>; each needs the name of its class")
        left, top, right, bottom = (
            _number(each, f"bndbox/{edge}", name) for edge in ("xmin", "ymin", "xmax", "ymax")
        )
        names.append(class_name_of(called))
        # Nobody draws an object of one pixel: corners that coincide are a slip of the mouse.
        is_flat = right <= left or bottom <= top
        boxes.append([left, top, left, top] if is_flat else [left - 1, top - 1, right, bottom])
        difficult.append((each.findtext("difficult") or "0").strip() == "1")
    return _Objects(
        height=int(height),
        width=int(width),
        names=names,
        boxes_xyxy=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        is_difficult=np.array(difficult, dtype=bool),
    )


def _number(element: ElementTree.Element, path: str, name: str) -> float:
    text = element.findtext(path)
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not abs(number) <= MAX_PIXELS:
        said = "nothing" if text is None else repr(text)
        raise DataError(f"{name}: expected a number of pixels in <{path}>, found {said}")
    return number


def read_splits(given: str, root: Path, places: VocPlaces) -> tuple[dict[str, str], list[Ignored]]:
    """The split of each name, and pictures that are in none.

    Raises:
        DataError: a picture is in two lists.
    """
    if not places.lists:
        return dict.fromkeys(places.annotations, ALL), []
    split_of: dict[str, str] = {}
    # trainval is looked at last: it gives train what no other list takes.
    for split, name in sorted(places.lists.items(), key=lambda each: _stem(each[1]) == "trainval"):
        lines = (root / name).read_text("utf-8", "replace").splitlines()
        for stem in (line.split()[0] for line in lines if line.strip()):
            if split_of.setdefault(stem, split) != split and _stem(name) != "trainval":
                raise DataError(
                    f"{given}: {stem} is in the lists of both {split_of[stem]} and {split}; a "
                    "picture can be in one split only"
                )
    missing = [stem for stem in split_of if stem not in places.pictures]
    lists = next(iter(places.lists.values())).removeprefix(places.prefix).rpartition("/")[0]
    ignored = [Ignored(stem, f"in a list of {lists}/, but not there") for stem in missing]
    ignored += [
        Ignored(name, f"in no list of {lists}/")
        for stem, name in places.pictures.items()
        if stem not in split_of
    ]
    return split_of, ignored


def _last(folder: str) -> str:
    return folder.rpartition("/")[2].lower()


def by_stem(names: Iterable[str]) -> dict[str, str]:
    """The first of each name without folder and ending."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(_stem(name), name)
    return found


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]
