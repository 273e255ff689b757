"""COCO: one JSON file for all pictures of a split, with boxes and outlines of their objects.

The format: https://cocodataset.org/#format-data ("Object Detection").
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from saccade.data.decoding.decode import MAX_PIXELS
from saccade.data.layout import ALL, SPLIT_NAMES
from saccade.data.listing import Ignored, Listing
from saccade.data.samples import count
from saccade.errors import DataError

_PARTS = (b'"images"', b'"annotations"', b'"categories"')
_MOST_FILES = 16  # more are not a file for each split, but one for each picture: another format
_PROBES = 50  # pictures that are looked for to find the folder of all


class CocoImage(msgspec.Struct):
    """A picture, as the file has it."""

    id: int | str
    file_name: str
    height: int
    width: int


class CocoCategory(msgspec.Struct):
    """A class."""

    id: int
    name: str


class CocoObject(msgspec.Struct):
    """An object; its outline is read when its picture is."""

    image_id: int | str
    category_id: int
    bbox: tuple[float, float, float, float] | None = None  # left, top, width, height
    segmentation: msgspec.Raw = msgspec.Raw(b"null")
    iscrowd: int = 0
    area: float | None = None  # of the object, not of its box


class _CocoFile(msgspec.Struct):
    images: list[CocoImage]
    annotations: list[CocoObject]
    categories: list[CocoCategory]


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
    """

    pictures: list[CocoPicture]
    class_names: tuple[str, ...]
    notes: list[str]
    ignored: list[Ignored]


def find_coco(root: Path, listing: Listing) -> dict[str, str]:
    """Looks for JSON files of this form.

    Returns:
        Their paths, by the split that each stands for; nothing where there are none.

    Raises:
        DataError: two of them stand for the same split.
    """
    names = [name for name in listing.others if name.lower().endswith(".json")]
    for pattern in (r"instances_[^/]*\.json", r"[^/]*\.coco\.json", r"[^/]*\.json"):
        chosen = [name for name in names if re.fullmatch(rf"(.*/)?{pattern}", name)]
        if len(chosen) > _MOST_FILES:
            continue
        chosen = [name for name in chosen if _looks_right(root / name)]
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
    notes: list[str] = []
    ignored: list[Ignored] = []
    class_names: tuple[str, ...] | None = None
    for split, name in files.items():
        read = _read(root / name, name)
        names = _class_names(read, name)
        if class_names is not None and set(names) != set(class_names):
            raise DataError(
                f"{given}: {name} has the categories {', '.join(names)}, the file before it has "
                f"{', '.join(class_names)}. Splits are matched by the names of their categories."
            )
        class_names = class_names or names
        label_of = {each.id: class_names.index(each.name) for each in read.categories}
        _require_named(read, label_of, name)
        _require_pictures(read.images, name)
        objects: dict[int | str, list[tuple[int, CocoObject]]] = defaultdict(list)
        for each in read.annotations:
            objects[each.image_id].append((label_of[each.category_id], each))

        folder = _folder(read.images, by_base, split=split, beside=name.rpartition("/")[0])
        there = set(listing.pictures)
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
            f"{given}: none of the pictures that {', '.join(files.values())} list is there; the "
            f"first is {ignored[0].name if ignored else 'missing: the lists are empty'}"
        )
    _require_once(pictures, given)
    used = {each.name for each in pictures}
    ignored += [
        Ignored(each, "in no annotation file") for each in listing.pictures if each not in used
    ]
    assert class_names is not None
    return Coco(pictures, class_names, notes, [*listing.ignored, *ignored])


def _looks_right(path: Path) -> bool:
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return all(part in data for part in _PARTS)


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


def _read(path: Path, name: str) -> _CocoFile:
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")  # as some editors begin a file
    try:
        return msgspec.json.decode(data, type=_CocoFile)
    except RecursionError:
        raise DataError(f"{name} is not as COCO files are: its lists lie too deep") from None
    except msgspec.ValidationError as error:
        raise DataError(f"{name} is not as COCO files are: {error}") from error
    except msgspec.DecodeError as error:
        at = re.search(r"byte (\d+)", str(error))
        end = int(at[1]) if at else len(data)
        raise DataError(
            f"{name}: broken JSON in line {data[:end].count(10) + 1} ({error}); expected an object "
            "with images, annotations and categories"
        ) from error


def _class_names(read: _CocoFile, name: str) -> tuple[str, ...]:
    """The names in the order of their ids."""
    ordered = sorted(read.categories, key=lambda each: each.id)
    names = tuple(each.name for each in ordered)
    if not names:
        raise DataError(f"{name} has no categories; each class of objects needs an id and a name")
    if len(set(names)) < len(names) or len({each.id for each in ordered}) < len(names):
        raise DataError(f"{name} has two categories of one id or name: {', '.join(names)}")
    return names


def _require_named(read: _CocoFile, label_of: Mapping[int, int], name: str) -> None:
    unknown = [each for each in read.annotations if each.category_id not in label_of]
    if unknown:
        ids = sorted({each.category_id for each in unknown})
        known = ", ".join(f"{each.id} {each.name}" for each in read.categories)
        raise DataError(
            f"{name}: {count(len(unknown), 'object')} of category id "
            f"{', '.join(map(str, ids[:5]))}, which has no name; its categories are {known}. Add "
            "the missing ones to categories, or take the objects out."
        )


def _require_pictures(images: Sequence[CocoImage], name: str) -> None:
    """Each id once, or objects would go to the wrong picture; and sizes that pictures can have."""
    twice = [each for each, number in Counter(each.id for each in images).items() if number > 1]
    if twice:
        raise DataError(
            f"{name}: {count(len(twice), 'picture id')} given to more than one picture, such as "
            f"{twice[0]!r}; objects name their picture by it, so each must be different"
        )
    odd = [each for each in images if min(each.height, each.width) < 1]
    odd += [each for each in images if each.height * each.width > MAX_PIXELS]
    if odd:
        raise DataError(
            f"{name}: {odd[0].file_name} has {odd[0].width} x {odd[0].height} pixels; expected 1 "
            f"a side at least, and up to {MAX_PIXELS:,} in all"
        )


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


def _folder(
    images: Iterable[CocoImage], by_base: Mapping[str, list[str]], *, split: str, beside: str
) -> str:
    """The folder that the file names start from, "" or ending in "/": where most of them are.

    Of folders that hold as many, the one whose name says the split wins, then the one in which the
    JSON file is.
    """
    votes: dict[str, int] = defaultdict(int)
    for image, _ in zip(images, range(_PROBES), strict=False):
        tail = _tail(image)
        for path in by_base.get(tail.rpartition("/")[2], ()):
            if path == tail or path.endswith(f"/{tail}"):
                votes[path[: len(path) - len(tail)]] += 1
    if not votes:
        return ""

    def rank(folder: str) -> tuple[int, bool, bool, int]:
        says = {SPLIT_NAMES.get(word) for word in re.split(r"[^a-z]+", folder.lower())}
        return votes[folder], split in says, folder == f"{beside}/", -len(folder)

    return max(votes, key=rank)
