"""COCO: one JSON file for all pictures of a split, with boxes and outlines of their objects.

The format: https://cocodataset.org/#format-data ("Object Detection").
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from saccade.data.formats.coco_file import (
    CocoImage,
    CocoObject,
    class_names_of,
    is_panoptic,
    read_coco_file,
    require_named,
    require_pictures,
    require_same_names,
    require_same_stuff,
)
from saccade.data.layout import ALL, SPLIT_NAMES
from saccade.data.listing import Ignored, Listing
from saccade.data.samples import count
from saccade.errors import DataError

_PARTS = (b'"images"', b'"annotations"', b'"categories"')
_MOST_FILES = 16  # more are not a file for each split, but one for each picture: another format
_PROBES = 50  # pictures that are looked for to find the folder of all


class CocoPicture(NamedTuple):
    """A picture that is there, with its objects.

    Attributes:
        name: its path below the source.
        split: one of "train", "val", "test", "all".
        image: what the file says of it.
        objects: with the class id of each.
    """

    name: str
    split: str
    image: CocoImage
    objects: list[tuple[int, CocoObject]]


class Coco(NamedTuple):
    """A whole source.

    Attributes:
        pictures: in the order of the files.
        class_names: in the order of the category ids.
        notes, ignored: for the ``Source``.
        stuff: classes that are no things, such as sky; only panoptic files know any.
    """

    pictures: list[CocoPicture]
    class_names: tuple[str, ...]
    notes: list[str]
    ignored: list[Ignored]
    stuff: tuple[str, ...] = ()


def find_coco(root: Path, listing: Listing, *, panoptic: bool = False) -> dict[str, str]:
    """Looks for JSON files of this form, with objects or with segments (panoptic).

    Returns:
        Their paths, by the split that each stands for; nothing where there are none.

    Raises:
        DataError: two of them stand for the same split.
    """
    names = [name for name in listing.others if name.lower().endswith(".json")]
    first = "panoptic" if panoptic else "instances"
    for pattern in (rf"{first}_[^/]*\.json", r"[^/]*\.coco\.json", r"[^/]*\.json"):
        chosen = [name for name in names if re.fullmatch(rf"(.*/)?{pattern}", name)]
        if len(chosen) > _MOST_FILES:
            continue
        chosen = [name for name in chosen if _looks_right(root / name, panoptic=panoptic)]
        if chosen:
            return _by_split(chosen)
    return {}


def read_coco(given: str, root: Path, listing: Listing, files: Mapping[str, str]) -> Coco:
    """Reads the files and finds their pictures.

    Raises:
        DataError: a file is broken, names classes twice or not at all, or none of its pictures is
            there.
    """
    by_base: dict[str, list[str]] = defaultdict(list)
    for name in listing.pictures:
        by_base[name.rpartition("/")[2]].append(name)
    pictures: list[CocoPicture] = []
    there = set(listing.pictures)
    notes: list[str] = []
    ignored: list[Ignored] = []
    class_names: tuple[str, ...] = ()
    stuff: dict[str, list[str]] = {}
    first = next(iter(files.values()))
    for split, name in files.items():
        read = read_coco_file(root / name, name)
        class_names = class_names or class_names_of(read, name)
        require_same_names(given, {first: class_names, name: class_names_of(read, name)})
        label_of = {each.id: class_names.index(each.name) for each in read.categories}
        stuff[name] = [each.name for each in read.categories if not each.isthing]
        require_named(read, label_of, name)
        require_pictures(read.images, name)
        objects: dict[int | str, list[tuple[int, CocoObject]]] = defaultdict(list)
        for each in read.annotations:
            objects[each.image_id].append((label_of[each.category_id], each))

        tails = list(map(_tail, read.images))
        folder = folder_of(tails, by_base, split=split, beside=name.rpartition("/")[0])
        for image in read.images:
            path = folder + _tail(image)
            mine = objects.pop(image.id, [])
            if path in there:
                pictures.append(CocoPicture(path, split, image, mine))
            else:
                ignored.append(Ignored(image.file_name, f"in {name}, but not there"))
        if objects:
            lost = count(sum(map(len, objects.values())), "object")
            notes.append(f"{lost} of pictures that {name} does not list: left out")
    if not pictures:
        raise DataError(
            f"{given}: none of the pictures that {', '.join(files.values())} list is there; "
            f"{f'the first is {ignored[0].name}' if ignored else 'the lists are empty'}"
        )
    _require_once(pictures, given)
    require_same_stuff(given, stuff)
    used = {each.name for each in pictures}
    ignored += [
        Ignored(each, "in no annotation file") for each in listing.pictures if each not in used
    ]
    regions = tuple(each for each in class_names if each in stuff[first])
    return Coco(pictures, class_names, notes, [*listing.ignored, *ignored], regions)


def _looks_right(path: Path, *, panoptic: bool) -> bool:
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return all(part in data for part in _PARTS) and is_panoptic(data) == panoptic


def _by_split(names: Sequence[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for name in names:
        split = _split_of(name) if len(names) > 1 else (_split_of(name) or ALL)
        if split is None:
            continue
        if split in chosen:
            raise DataError(
                f"two annotation files stand for {split}: {chosen[split]} and {name}. Keep one of "
                "them in the source."
            )
        chosen[split] = name
    if not chosen:
        raise DataError(
            f"{len(names)} annotation files ({', '.join(names[:3])}), and their names say nothing "
            "about splits. Call them instances_train.json, instances_val.json, instances_test.json."
        )
    return {split: chosen[split] for split in ("train", "val", "test", ALL) if split in chosen}


def _split_of(name: str) -> str | None:
    """The split that a file's name, or else its folder's, says."""
    folder, _, base = name.rpartition("/")
    for text in (base, folder.rpartition("/")[2]):
        for word in re.split(r"[^a-z]+", text.lower()):
            if word in SPLIT_NAMES:
                return SPLIT_NAMES[word]
    return None


def _require_once(pictures: Sequence[CocoPicture], given: str) -> None:
    """A picture in two entries has its objects torn apart; in two splits it is judged unfairly."""
    splits: dict[str, str] = {}
    for each in pictures:
        if each.name in splits:
            raise DataError(
                f"{given}: {each.name} is listed twice, in {splits[each.name]} and in "
                f"{each.split}; give each picture one entry with all of its objects"
            )
        splits[each.name] = each.split


def _tail(image: CocoImage) -> str:
    """The picture's name as paths are written here; Windows programs write them its way."""
    return image.file_name.replace("\\", "/").removeprefix("./")


def folder_of(
    tails: Sequence[str],
    by_base: Mapping[str, list[str]],
    *,
    split: str,
    beside: str,
    are_masks: bool = False,
) -> str:
    """The folder that the file names start from, "" or ending in "/": where most of them are.

    Of folders that hold as many, the one whose name says panoptic wins for masks and loses for
    pictures, then the one whose name says the split wins, then the one in which the JSON file is.
    """
    votes: dict[str, int] = defaultdict(int)
    for tail in tails[:_PROBES]:
        for path in by_base.get(tail.rpartition("/")[2], ()):
            if path == tail or path.endswith(f"/{tail}"):
                votes[path[: len(path) - len(tail)]] += 1
    if not votes:
        return ""

    def rank(folder: str) -> tuple[int, bool, bool, bool, int]:
        says = {SPLIT_NAMES.get(word) for word in re.split(r"[^a-z]+", folder.lower())}
        says_kind = ("panoptic" in folder.lower()) == are_masks
        return votes[folder], says_kind, split in says, folder == f"{beside}/", -len(folder)

    return max(votes, key=rank)
