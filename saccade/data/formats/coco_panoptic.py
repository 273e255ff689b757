"""COCO's panoptic files: a JSON, and for each picture a PNG whose colours number its segments.

The format: https://cocodataset.org/#format-data ("Panoptic Segmentation").
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from saccade.data.annotations import IGNORED_SEGMENT, Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.formats.coco import Coco, folder_of
from saccade.data.formats.coco_file import PanopticObject
from saccade.data.formats.masks import packed, read_numbers
from saccade.data.formats.objects import SPLIT_ORDER, about_objects, require_objects, split_samples
from saccade.data.listing import Ignored, Listing, natural_key
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Source


def coco_panoptic(given: str, root: Path, listing: Listing, coco: Coco) -> Source:
    """The source: every picture whose segments are listed and whose PNG is there.

    Raises:
        DataError: there is not one segment in all of them.
    """
    by_base: dict[str, list[str]] = defaultdict(list)
    there = set(listing.pictures) - {each.name for each in coco.pictures}
    for name in sorted(there):
        by_base[name.rpartition("/")[2]].append(name)
    used: set[str] = set()
    ignored: list[Ignored] = []
    pictures: list[tuple[str, str, str, list[tuple[int, PanopticObject]]]] = []
    for split in dict.fromkeys(each.split for each in coco.pictures):
        objects = {
            each.name: [(label, of) for label, of in each.objects if isinstance(of, PanopticObject)]
            for each in coco.pictures
            if each.split == split
        }
        tails = [of[0][1].file for of in objects.values() if of]
        folder = folder_of(tails, by_base, split=split, beside="", are_masks=True)
        for name, of in objects.items():
            mask = folder + of[0][1].file if of else ""
            if mask in there:
                pictures.append((split, name, mask, of))
                used.add(mask)
            else:
                ignored.append(Ignored(name, "its PNG of segments is not there"))
    ignored += [each for each in coco.ignored if each.name not in used]
    pictures.sort(key=lambda each: (SPLIT_ORDER.index(each[0]), natural_key(each[1])))
    labels = [np.array([k for k, _ in of], dtype=np.int64) for _, _, _, of in pictures]
    require_objects(given, labels, coco.notes)
    return Source(
        path=given,
        kind="COCO panoptic masks",
        class_names=coco.class_names,
        splits=split_samples(
            PictureFiles(root, tuple(name for _, name, _, _ in pictures)),
            [split for split, _, _, _ in pictures],
            PanopticMaps(
                PictureFiles(root, tuple(mask for _, _, mask, _ in pictures)),
                tuple(np.array([of.number for _, of in each]) for *_, each in pictures),
                tuple(
                    np.array([-1 if of.iscrowd else k for k, of in each]) for *_, each in pictures
                ),
                coco.stuff,
            ),
        ),
        notes=(*coco.notes, *about_objects(labels, coco.class_names), *_about_stuff(coco.stuff)),
        ignored=tuple(ignored),
    )


@dataclass(frozen=True, eq=False)
class PanopticMaps:
    """Segments by their numbers in a PNG; of pixels of 0, and of a crowd, nothing is known.

    Attributes:
        files: a PNG for each picture.
        numbers: of the segments of each picture.
        labels: their classes; -1 for a crowd.
        stuff: names of the classes that are one region, however many pieces they have.
    """

    files: PictureFiles
    numbers: tuple[Int64[np.ndarray, " _m"], ...]
    labels: tuple[Int64[np.ndarray, " _m"], ...]
    stuff: tuple[str, ...]

    def load(self, i: int) -> Segments:
        """The segments of picture ``i``; one without pixels is left out.

        Raises:
            UnreadablePicture: the PNG is broken, or holds a segment that is not listed.
        """
        pixels = packed(read_numbers(self.files, i))
        found, where = np.unique(pixels, return_inverse=True)
        label_of = dict(zip(self.numbers[i].tolist(), self.labels[i].tolist(), strict=True))
        unknown = [number for number in found.tolist() if number and number not in label_of]
        if unknown:
            raise UnreadablePicture(
                f"its mask {self.files.name(i)} holds segment {unknown[0]}, which the file does "
                "not list"
            )
        labels = np.array([label_of.get(number, -1) for number in found.tolist()], dtype=np.int64)
        is_known = labels >= 0
        ranks = np.where(is_known, is_known.cumsum(), IGNORED_SEGMENT).astype(np.int32)
        segments = ranks[where].reshape(pixels.shape)
        return Segments(segments=segments, labels=labels[is_known])

    def stamp(self, i: int) -> str:
        """The size of the PNG, and how many segments it has."""
        return f"{self.files.stamp(i)} {len(self.numbers[i])}"


def _about_stuff(names: tuple[str, ...]) -> list[str]:
    return [f"regions and not objects (isthing 0): {', '.join(names)}"] if names else []
