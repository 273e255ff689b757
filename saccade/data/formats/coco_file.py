"""What a COCO file says, and whether that can be."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from saccade.data.decoding.decode import MAX_PIXELS
from saccade.data.samples import count
from saccade.errors import DataError


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
    isthing: int | bool = 1  # of panoptic files: 0 for stuff, one region however many pieces it has


class CocoObject(msgspec.Struct):
    """An object; its outline is read when its picture is."""

    image_id: int | str
    category_id: int
    bbox: tuple[float, float, float, float] | None = None  # left, top, width, height
    segmentation: msgspec.Raw = msgspec.Raw(b"null")
    iscrowd: int = 0
    area: float | None = None  # of the object, not of its box


class PanopticObject(CocoObject):
    """A segment: its pixels hold ``number`` in the PNG ``file``."""

    file: str = ""
    number: int = 0


class _Segment(msgspec.Struct):
    id: int
    category_id: int
    iscrowd: int = 0


class _PanopticMap(msgspec.Struct):
    image_id: int | str
    file_name: str
    segments_info: list[_Segment]


class CocoFile(msgspec.Struct):
    """A file of pictures, their objects and the classes of those."""

    images: list[CocoImage]
    annotations: Sequence[CocoObject]
    categories: list[CocoCategory]


class _PanopticFile(msgspec.Struct):
    images: list[CocoImage]
    annotations: list[_PanopticMap]
    categories: list[CocoCategory]


def read_coco_file(path: Path, name: str) -> CocoFile:
    """Reads one; ``name`` is what a person calls it. Segments of a panoptic one are its objects.

    Raises:
        DataError: it is broken JSON, or of another form.
    """
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")  # as some editors begin a file
    try:
        if not is_panoptic(data):
            return msgspec.json.decode(data, type=CocoFile)
        found = msgspec.json.decode(data, type=_PanopticFile)
        objects = [
            PanopticObject(
                of.image_id,
                each.category_id,
                iscrowd=each.iscrowd,
                file=of.file_name.replace("\\", "/"),
                number=each.id,
            )
            for of in found.annotations
            for each in of.segments_info
        ]
        return CocoFile(found.images, objects, found.categories)
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


def is_panoptic(data: bytes) -> bool:
    """Whether the bytes of a file list segments, whose pixels lie in PNG files."""
    return b'"segments_info"' in data


def class_names_of(read: CocoFile, name: str) -> tuple[str, ...]:
    """The names in the order of their ids.

    Raises:
        DataError: there is none, or one comes twice.
    """
    ordered = sorted(read.categories, key=lambda each: each.id)
    names = tuple(each.name for each in ordered)
    if not names:
        raise DataError(f"{name} has no categories; each class of objects needs an id and a name")
    if len(set(names)) < len(names) or len({each.id for each in ordered}) < len(names):
        raise DataError(f"{name} has two categories of one id or name: {', '.join(names)}")
    return names


def require_same_names(given: str, names: Mapping[str, Sequence[str]]) -> None:
    """Ids and order may differ between splits, names (by file) may not."""
    shared = set.intersection(*map(set, names.values()))
    only = {
        file: ", ".join(each for each in of if each not in shared) for file, of in names.items()
    }
    said = "; ".join(f"only {file} has {each}" for file, each in only.items() if each)
    if said:
        raise DataError(
            f"{given}: the splits have different categories: {said}. They are matched by name, "
            "whatever their ids and order: give each file the same names"
        )


def require_same_stuff(given: str, stuff: Mapping[str, Sequence[str]]) -> None:
    """What is a thing in one split cannot be stuff in another; names by file."""
    (first, names), *others = stuff.items()
    for file, of in others:
        differing = sorted(set(names) ^ set(of))
        if differing:
            raise DataError(
                f"{given}: {', '.join(differing)}: isthing is not the same in {first} and {file}; "
                "write 1 (things) or 0 (stuff) in both"
            )


def require_named(read: CocoFile, label_of: Mapping[int, int], name: str) -> None:
    """A class for each object, given the label of each category id."""
    unknown = [each for each in read.annotations if each.category_id not in label_of]
    if unknown:
        ids = sorted({each.category_id for each in unknown})
        known = ", ".join(f"{each.id} {each.name}" for each in read.categories)
        raise DataError(
            f"{name}: {count(len(unknown), 'object')} of category id "
            f"{', '.join(map(str, ids[:5]))}, which has no name; its categories are {known}. Add "
            "the missing ones to categories, or take the objects out."
        )


def require_pictures(images: Sequence[CocoImage], name: str) -> None:
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
