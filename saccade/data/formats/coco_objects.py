"""The boxes, or the masks, of a COCO source."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from jaxtyping import Bool, Float64

from saccade.data.annotations import IGNORED_SEGMENT, Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.formats.coco import Coco, CocoPicture
from saccade.data.formats.coco_file import CocoObject
from saccade.data.formats.objects import (
    SPLIT_ORDER,
    Described,
    about_objects,
    box_source,
    require_objects,
    some,
    split_samples,
)
from saccade.data.listing import natural_key
from saccade.data.pictures import PictureFiles
from saccade.data.regions import decode_rle, fill_polygons, polygon_area, rle_area
from saccade.data.samples import Source, count

_EMPTY = (b"null", b"[]", b"{}")


class _Runs(msgspec.Struct):
    """Run lengths, compressed (a string) or not."""

    counts: str | list[int]
    size: tuple[int, int]  # height, width


def coco_boxes(given: str, root: Path, coco: Coco) -> Source:
    """The source with a box for each object.

    Raises:
        DataError: there is not one box in all of them.
    """
    pictures = [
        Described(
            name=each.name,
            split=each.split,
            height=each.image.height,
            width=each.image.width,
            boxes_xyxy=_corners(each.objects),
            labels=np.array([label for label, _ in each.objects], dtype=np.int64),
            is_crowd=np.array([of.iscrowd != 0 for _, of in each.objects], dtype=bool),
            areas=np.array([_area(of) for _, of in each.objects], dtype=np.float64),
        )
        for each in coco.pictures
    ]
    return box_source(
        given,
        root,
        pictures,
        kind="COCO boxes",
        class_names=coco.class_names,
        notes=coco.notes,
        ignored=coco.ignored,
    )


def coco_segments(given: str, root: Path, coco: Coco) -> Source:
    """The source with a mask for each object; they are made when a picture is loaded.

    Raises:
        DataError: there is not one outline in all of them.
    """
    pictures, without = [], []
    for each in coco.pictures:
        outlined = [pair for pair in each.objects if bytes(pair[1].segmentation) not in _EMPTY]
        without += [each.name] * (len(each.objects) - len(outlined))
        pictures.append(each._replace(objects=outlined))
    pictures.sort(key=lambda each: (SPLIT_ORDER.index(each.split), natural_key(each.name)))
    notes = [*coco.notes]
    if without:
        notes.append(
            f"{count(len(without), 'object')} without an outline: left out ({some(without)})"
        )
    labels = [np.array([label for label, _ in each.objects], dtype=np.int64) for each in pictures]
    require_objects(given, labels, notes)
    return Source(
        path=given,
        kind="COCO masks",
        class_names=coco.class_names,
        splits=split_samples(
            PictureFiles(root, tuple(each.name for each in pictures)),
            [each.split for each in pictures],
            CocoSegments(tuple(pictures)),
        ),
        notes=(*notes, *about_objects(labels, coco.class_names)),
        ignored=tuple(coco.ignored),
    )


@dataclass(frozen=True, eq=False)
class CocoSegments:
    """Masks made from outlines and run lengths.

    Segments do not overlap: small objects lie on large ones, and crowds under everything, as pixels
    of which nothing is known.
    """

    pictures: tuple[CocoPicture, ...]

    def load(self, i: int) -> Segments:
        """The segments of picture ``i``; an object that others cover whole has none.

        Raises:
            UnreadablePicture: an outline is broken or of another size.
        """
        picture = self.pictures[i]
        height, width = picture.image.height, picture.image.width
        masks = [_mask(each, height, width) for _, each in picture.objects]
        segments = np.zeros((height, width), dtype=np.int32)
        order = sorted(range(len(masks)), key=lambda k: -int(masks[k].sum()))
        for k in order:
            if picture.objects[k][1].iscrowd:
                segments[masks[k]] = IGNORED_SEGMENT
        for k in order:
            if not picture.objects[k][1].iscrowd:
                segments[masks[k]] = k + 1
        seen = np.unique(segments[segments > 0])
        renumbered = np.zeros(len(masks) + 1, dtype=np.int32)
        renumbered[seen] = np.arange(1, len(seen) + 1)
        labels = np.array([picture.objects[k - 1][0] for k in seen.tolist()], dtype=np.int64)
        segments = np.where(segments > 0, renumbered[segments], segments)
        return Segments(segments=segments.astype(np.int32), labels=labels)

    def stamp(self, i: int) -> str:
        """A hash of the outlines as they stand in the file."""
        said = b" ".join(
            b"%d %d %b" % (label, each.iscrowd, bytes(each.segmentation))
            for label, each in self.pictures[i].objects
        )
        return hashlib.blake2b(said, digest_size=8).hexdigest()


def _corners(objects: Sequence[tuple[int, CocoObject]]) -> Float64[np.ndarray, "m 4"]:
    """Left, top, right, bottom; an object without a box has no area, and so is counted."""
    sides = np.array([each.bbox or (0, 0, 0, 0) for _, each in objects], dtype=np.float64)
    sides = sides.reshape(-1, 4)
    return np.concatenate([sides[:, :2], sides[:, :2] + sides[:, 2:]], axis=1)


def _area(each: CocoObject) -> float:
    """What the file says, or else what its outline holds; NaN where it has none that is whole."""
    if each.area is not None or bytes(each.segmentation) in _EMPTY:
        return np.nan if each.area is None else each.area
    try:
        found = _outline(each)
        return sum(map(polygon_area, found)) if isinstance(found, list) else rle_area(found.counts)
    except UnreadablePicture:
        return np.nan  # the box is whole, and it is all that boxes are learned from


def _outline(each: CocoObject) -> list[list[float]] | _Runs:
    try:
        return msgspec.json.decode(each.segmentation, type=list[list[float]] | _Runs)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadablePicture(
            f"an outline in its annotations is neither polygons nor run lengths: {error}"
        ) from error


def _mask(each: CocoObject, height: int, width: int) -> Bool[np.ndarray, "H W"]:
    found = _outline(each)
    if isinstance(found, list):
        return fill_polygons(found, height=height, width=width)
    if found.size != (height, width):
        raise UnreadablePicture(
            f"a mask in its annotations is {found.size[1]} x {found.size[0]} pixels, and the "
            f"picture {width} x {height}; they must be of one size"
        )
    return decode_rle(found.counts, height=height, width=width)
