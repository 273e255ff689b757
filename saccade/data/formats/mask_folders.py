"""A folder of pictures and a folder of their masks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from saccade.data.annotations import IGNORED_CLASS
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.formats.class_lists import ClassList, find_class_list, read_class_list
from saccade.data.formats.masks import ClassMaps, InstanceMaps, Meaning, read_numbers
from saccade.data.formats.objects import SPLIT_ORDER, some, split_samples
from saccade.data.formats.twins import Twin, Twins, find_twins, read_split_file, settle_splits
from saccade.data.layout import ALL
from saccade.data.listing import Ignored, Listing, natural_key
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Source
from saccade.errors import DataError

Masks = Literal["auto", "classes", "instances"]
"""What masks say; ``auto``: those of 16 bits number instances, all others classes."""

_PICTURES = ("images", "image", "imgs", "img", "pictures", "jpegimages")
_MASKS = ("masks", "mask", "labels", "label", "annotations", "segmentationclass")
_ENDINGS = ("_mask", "_masks", "_label", "_labels", "_seg", "_gt", "_L")
_NUM_PROBES = 8  # masks that are looked at to see what they hold


def find_masks(listing: Listing) -> Twins | None:
    """Looks for two such folders; None if there are none."""
    names = [(pictures, masks) for pictures in _PICTURES for masks in _MASKS]
    return find_twins(listing, names, endings=_ENDINGS)


def open_mask_folders(
    given: str, root: Path, listing: Listing, twins: Twins, *, masks: Masks
) -> Source:
    """The source: every picture that has a mask.

    Raises:
        DataError: nothing fits together, or nothing says which classes the masks hold.
    """
    if not twins.pairs:
        raise DataError(
            f"{given}: no picture in {twins.folders[0]} has a mask in {twins.folders[1]}; they are "
            f"matched by name: {twins.folders[0]}/a.jpg and {twins.folders[1]}/a.png. There are "
            f"{some(twins.lonely[0])} and {some(twins.lonely[1])}"
        )
    pairs, notes, ignored = _with_splits(root, twins)
    pairs.sort(key=lambda each: (SPLIT_ORDER.index(each.split), natural_key(each.first)))
    pictures = PictureFiles(root, tuple(each.first for each in pairs))
    files = PictureFiles(root, tuple(each.second for each in pairs))
    found = find_class_list(root, dict.fromkeys(["", twins.prefix, _folder(pairs[0].second)]))
    classes = None if found is None else read_class_list(found)
    meaning = meaning_of(given, files, classes, masks=masks)

    if meaning == "instances":
        class_names = ("object",) if classes is None else classes.names
        if len(class_names) != 1:
            raise DataError(
                f"{given}: masks that number objects cannot say which of the {len(class_names)} "
                f"classes of {found} each is. Name one class there, or give COCO annotations."
            )
        annotations, kind = InstanceMaps(files), "pictures with masks of instances"
    else:
        if classes is None:
            classes = _unnamed(given, files, meaning)
            notes.append(
                f"no classes.txt: {classes.numbers[0]} is taken for {classes.names[0]}, "
                f"{classes.numbers[1]} for {classes.names[1]}"
            )
        class_names = classes.names
        if len(class_names) > IGNORED_CLASS or max(classes.numbers) > IGNORED_CLASS:
            raise DataError(
                f"{given}: {len(class_names)} classes, the highest number is "
                f"{max(classes.numbers)}; at most {IGNORED_CLASS} classes are read, of numbers up "
                f"to {IGNORED_CLASS}"
            )
        annotations, kind = (
            ClassMaps(files=files, classes=classes, meaning=meaning),
            ("pictures with masks of classes"),
        )
    return Source(
        path=given,
        kind=kind,
        class_names=class_names,
        splits=split_samples(pictures, [each.split for each in pairs], annotations),
        notes=tuple(notes),
        ignored=(*listing.ignored, *ignored),
    )


def _with_splits(root: Path, twins: Twins) -> tuple[list[Twin], list[str], list[Ignored]]:
    """The pairs with their splits, by folders or by a table; notes, and what is left out."""
    notes: list[str] = []
    if twins.prefix:
        notes.append(f"everything is in {twins.prefix}, so that is the source")
    ignored = [Ignored(name, "has no mask") for name in twins.lonely[0]]
    ignored += [Ignored(name, "has no picture") for name in twins.lonely[1]]
    ignored += [Ignored(name, "another file of this name is used") for name in twins.twice]
    pairs = twins.pairs
    if all(each.split == ALL for each in pairs):
        split_of, table = read_split_file(root, twins.prefix)
        if table is not None:
            pairs = [
                each._replace(split=split_of.get(Path(each.first).stem, ALL)) for each in pairs
            ]
            notes.append(f"the splits are those of {table}")
    splits, outside = settle_splits([(each.first, each.split) for each in pairs])
    return [each for each in pairs if each.split in splits], notes, [*ignored, *outside]


def meaning_of(
    given: str, files: PictureFiles, classes: ClassList | None, *, masks: Masks
) -> Meaning:
    """What the masks hold, seen in a few of them.

    Raises:
        DataError: they are coloured, and nothing names the colours.
    """
    if masks == "instances":
        return "instances"
    probes = _probe(files)
    if any(each.ndim == 3 for each in probes):
        if classes is None or classes.colours is None:
            raise DataError(
                f"{given}: its masks are coloured. Say in classes.txt what the colours mean, a "
                f"line each, such as {_suggested(probes)}"
            )
        return "colours"
    if masks == "auto" and any(each.dtype.itemsize > 1 for each in probes):
        return "instances"
    return "colours" if classes is not None and classes.colours is not None else "numbers"


def _unnamed(given: str, files: PictureFiles, meaning: Meaning) -> ClassList:
    """Masks of two numbers, 0 and 1 or 0 and 255, need no names; all others do."""
    assert meaning == "numbers"
    held = sorted({int(value) for each in _probe(files) for value in np.unique(each)})
    for numbers in ((0, 1), (0, 255)):
        if set(held) <= set(numbers):
            return ClassList(names=("background", "object"), numbers=numbers, colours=None)
    raise DataError(
        f"{given}: nothing names the classes of its masks, which hold the numbers "
        f"{', '.join(map(str, held[:10]))}{', ...' if len(held) > 10 else ''}. Write a classes.txt "
        "beside the folders, one name a line; the first line names number 0."
    )


def _probe(files: PictureFiles) -> list[np.ndarray]:
    """A few masks, evenly spread; broken ones are passed over, as they will be named later."""
    probes: list[np.ndarray] = []
    reason: UnreadablePicture | None = None
    for i in sorted({k * len(files) // _NUM_PROBES for k in range(_NUM_PROBES)}):
        try:
            probes.append(read_numbers(files, i))
        except UnreadablePicture as error:
            reason = error
    if not probes:
        raise DataError(f"{files.root}: none of the masks looked at can be read: {reason}")
    return probes


def _suggested(probes: Sequence[np.ndarray]) -> str:
    """A line for the most frequent colours of some masks."""
    pixels = np.concatenate([each.reshape(-1, 3) for each in probes if each.ndim == 3])
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    frequent = colours[np.argsort(-counts, kind="stable")[:3]].tolist()
    return "; ".join(f"{r} {g} {b} name" for r, g, b in frequent)


def _folder(name: str) -> str:
    return name.rpartition("/")[0]
