"""Pascal VOC's masks: beside each picture a PNG of classes, and perhaps one of objects.

The format: host.robots.ox.ac.uk/pascal/VOC, development kit, section "segmentation".
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from saccade.data.annotations import IGNORED_CLASS, IGNORED_SEGMENT, Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.formats.class_lists import ClassList, find_class_list, read_class_list
from saccade.data.formats.mask_folders import Masks, meaning_of
from saccade.data.formats.masks import ClassMaps, packed, read_numbers
from saccade.data.formats.objects import SPLIT_ORDER, split_samples
from saccade.data.formats.voc import VocPlaces, by_stem, find_lists, read_splits
from saccade.data.listing import Ignored, Listing, natural_key
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Source
from saccade.errors import DataError

_NAMES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
    *("chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant"),
    *("sheep", "sofa", "train", "tvmonitor"),
)
_BACKGROUND = ("background", "_background_")
_VOID = (
    IGNORED_CLASS,
    192 << 16 | 224 << 8 | 224,
)  # a number, or the colour of it in VOC's palette


class VocMasks(NamedTuple):
    """Where things lie; ``places.annotations`` are the masks of classes, ``objects`` the others."""

    places: VocPlaces
    objects: dict[str, str]


def find_voc_masks(listing: Listing) -> VocMasks | None:
    """Looks for ``JPEGImages`` and ``SegmentationClass`` side by side, with objects or lists."""
    folders = {name.rpartition("/")[0] for name in listing.pictures}
    found = [each for each in folders if f"/{each}".endswith("/SegmentationClass")]
    if not found:
        return None
    prefix = min(found, key=lambda each: (each.count("/"), each)).removesuffix("SegmentationClass")

    def inside(folder: str) -> dict[str, str]:
        names = [each for each in listing.pictures if each.rpartition("/")[0] == prefix + folder]
        return by_stem(names)

    pictures, objects = inside("JPEGImages"), inside("SegmentationObject")
    lists = find_lists(listing, f"{prefix}ImageSets/Segmentation/")
    if not pictures or not (objects or lists):
        return None
    return VocMasks(VocPlaces(prefix, inside("SegmentationClass"), pictures, lists, []), objects)


def open_voc_masks(
    given: str, root: Path, listing: Listing, found: VocMasks, *, masks: Masks
) -> Source:
    """The source: every picture with its masks, and, where there are lists, in one of them.

    Objects are taken where there are masks of them, else classes. Without a class file the names
    are VOC's own twenty.

    Raises:
        DataError: nothing fits together, or a list is wrong.
    """
    places, objects = found
    of_objects = bool(objects) if masks == "auto" else masks == "instances"
    splits, ignored = read_splits(given, root, places)
    stems = [
        stem
        for stem in sorted(
            splits, key=lambda each: (SPLIT_ORDER.index(splits[each]), natural_key(each))
        )
        if stem in places.pictures
        and stem in places.annotations
        and (stem in objects or not of_objects)
    ]
    if not stems:
        raise DataError(
            f"{given}: none of {len(places.pictures)} pictures in JPEGImages has a mask in "
            f"SegmentationClass{' and one in SegmentationObject' if of_objects else ''}; they are "
            "matched by name: a.jpg and a.png"
        )
    used = set(stems)
    ignored += [
        Ignored(name, "has no mask")
        for stem, name in places.pictures.items()
        if stem not in used and (stem in splits or not places.lists)
    ]
    path = find_class_list(root, dict.fromkeys(["", places.prefix]))
    own = ClassList(names=_NAMES, numbers=tuple(range(len(_NAMES))), colours=None)
    classes = own if path is None else read_class_list(path)
    files = PictureFiles(root, tuple(places.annotations[stem] for stem in stems))
    meaning = meaning_of(given, files, classes, masks="classes")
    assert meaning != "instances"
    annotations = maps = ClassMaps(files=files, classes=classes, meaning=meaning)
    class_names = classes.names
    if of_objects:
        annotations = VocObjects(maps, PictureFiles(root, tuple(objects[stem] for stem in stems)))
        class_names = tuple(name for name in classes.names if name not in _BACKGROUND)
    return Source(
        path=given,
        kind=f"Pascal VOC masks of {'objects' if of_objects else 'classes'}",
        class_names=class_names,
        splits=split_samples(
            PictureFiles(root, tuple(places.pictures[stem] for stem in stems)),
            [splits[stem] for stem in stems],
            annotations,
        ),
        notes=() if path is not None else ("no class file: the names are Pascal VOC's own",),
        ignored=(*listing.ignored, *ignored),
    )


@dataclass(frozen=True, eq=False)
class VocObjects:
    """Masks that number the objects of each picture, with the class of each from the other mask.

    Pixels that either mask calls void are unknown.
    """

    maps: ClassMaps
    files: PictureFiles

    def load(self, i: int) -> Segments:
        """The objects of picture ``i``, numbered without gaps.

        Raises:
            UnreadablePicture: a mask is broken, the two differ in size, or an object has no class.
        """
        classes, objects = self.maps.load(i).classes, packed(read_numbers(self.files, i))
        if classes.shape != objects.shape:
            raise UnreadablePicture("its masks of classes and of objects differ in size")
        is_void = np.isin(objects, _VOID) | (classes == IGNORED_CLASS)
        numbers, where = np.unique(np.where(is_void, 0, objects), return_inverse=True)
        counts = np.zeros((len(numbers), IGNORED_CLASS + 1), dtype=np.int64)
        np.add.at(counts, (where.reshape(-1), classes.reshape(-1)), ~is_void.reshape(-1))
        names = self.maps.classes.names
        things = [k for k, name in enumerate(names) if name not in _BACKGROUND]
        of = counts[1:].argmax(axis=1) if numbers[0] == 0 else counts.argmax(axis=1)
        if not np.isin(of, things).all():
            raise UnreadablePicture("an object of its mask is of no class in the mask of classes")
        ranks = where.reshape(objects.shape) + (numbers[0] != 0)
        segments = np.where(is_void, IGNORED_SEGMENT, ranks)
        return Segments(
            segments=segments.astype(np.int32), labels=np.searchsorted(things, of).astype(np.int64)
        )

    def stamp(self, i: int) -> str:
        """The sizes of both files."""
        return f"{self.maps.stamp(i)} {self.files.stamp(i)}"
