"""Boxes as files hold them, checked one by one, and the source that they make."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64

from saccade.data.annotations import Annotations, Boxes
from saccade.data.layout import ALL
from saccade.data.listing import Ignored, natural_key
from saccade.data.pictures import PictureFiles, Pictures
from saccade.data.samples import Samples, Source, count
from saccade.errors import DataError

SPLIT_ORDER = ("train", "val", "test", ALL)

_SHOWN = 3  # names in a note
_SLACK_PX = 0.5  # coordinates are rounded by many tools, so that much outside is no mistake


@dataclass(frozen=True, kw_only=True, eq=False)
class Described:
    """One picture and its objects, as the file says them.

    Attributes:
        name: its path below the source.
        split: one of ``SPLIT_ORDER``.
        height, width: in pixels.
        boxes_xyxy: in pixels; not yet checked.
        labels: class ids.
        is_crowd, areas: see ``Boxes``.
    """

    name: str
    split: str
    height: int
    width: int
    boxes_xyxy: Float64[np.ndarray, "m 4"]
    labels: Int64[np.ndarray, " m"]
    is_crowd: Bool[np.ndarray, " m"]
    areas: Float64[np.ndarray, " m"] | None = None


@dataclass(frozen=True, eq=False)
class BoxList:
    """Annotations that lie in memory: the boxes of each picture."""

    boxes: tuple[Boxes, ...]

    def load(self, i: int) -> Boxes:
        """The boxes of picture ``i``."""
        return self.boxes[i]

    def stamp(self, i: int) -> str:
        """A hash of all the numbers that a training sees."""
        boxes = self.boxes[i]
        numbers = (boxes.boxes_xyxy, boxes.labels, boxes.is_crowd)
        return hashlib.blake2b(
            b"".join(each.tobytes() for each in numbers), digest_size=8
        ).hexdigest()


@dataclass
class Tally:
    """What was wrong with boxes, and in which pictures; each picture once for every box."""

    cut: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    flat: list[str] = field(default_factory=list)

    def tidy(self, picture: Described) -> Boxes:
        """The boxes of a picture that can be used, none of them beyond its border."""
        is_number = np.isfinite(picture.boxes_xyxy).all(1, keepdims=True)
        boxes = np.where(is_number, picture.boxes_xyxy, 0.0)  # one of nothing, so it has no area
        limit = np.array([picture.width, picture.height, picture.width, picture.height])
        inside = boxes.clip(0, limit)
        is_flat = (boxes[:, 2:] <= boxes[:, :2]).any(1)
        is_gone = (inside[:, 2:] <= inside[:, :2]).any(1) & ~is_flat
        is_kept = ~(is_flat | is_gone)
        is_cut = (np.abs(inside - boxes) > _SLACK_PX).any(1) & is_kept
        for found, names in ((is_cut, self.cut), (is_gone, self.outside), (is_flat, self.flat)):
            names += [picture.name] * int(found.sum())
        return Boxes(
            boxes_xyxy=inside[is_kept].astype(np.float32),
            labels=picture.labels[is_kept],
            is_crowd=picture.is_crowd[is_kept],
            size=(picture.height, picture.width),
            areas=None if picture.areas is None else picture.areas[is_kept],
        )

    def notes(self) -> list[str]:
        """A sentence for each thing that was found."""
        told = (
            (self.cut, "whose box reaches out of the picture: cut at its border"),
            (self.outside, "whose box lies outside the picture: left out"),
            (self.flat, "whose box has no area: left out"),
        )
        return [
            f"{count(len(names), 'object')} {what} ({some(names)})" for names, what in told if names
        ]


def box_source(
    given: str,
    root: Path,
    pictures: Sequence[Described],
    *,
    kind: str,
    class_names: tuple[str, ...],
    notes: Sequence[str] = (),
    ignored: Sequence[Ignored] = (),
) -> Source:
    """The source of pictures with boxes; what is wrong with boxes is counted in its notes.

    Raises:
        DataError: there is not one object in all of them.
    """
    ordered = in_order(pictures)
    tally = Tally()
    boxes = tuple(tally.tidy(picture) for picture in ordered)
    num_crowds = sum(int(each.is_crowd.sum()) for each in boxes)
    told = [*notes, *tally.notes()]
    if num_crowds:
        told.append(f"{count(num_crowds, 'object')} marked as a crowd or difficult: not learned")
    require_objects(given, [each.labels for each in boxes], told)
    told += about_objects([each.labels for each in boxes], class_names)
    return Source(
        path=given,
        kind=kind,
        class_names=class_names,
        splits=split_samples(
            PictureFiles(root, tuple(picture.name for picture in ordered)),
            [picture.split for picture in ordered],
            BoxList(boxes),
        ),
        notes=tuple(told),
        ignored=tuple(ignored),
    )


def about_objects(
    labels: Sequence[Int64[np.ndarray, " _m"]], class_names: tuple[str, ...]
) -> list[str]:
    """How many objects of which class there are, and how many pictures have none."""
    counts = np.bincount(np.concatenate([[], *labels]).astype(int), minlength=len(class_names))
    each = [f"{name} {number:,}" for name, number in zip(class_names, counts, strict=True)]
    more = f", ... {len(each) - 20} more classes" if len(each) > 20 else ""
    notes = [f"{count(int(counts.sum()), 'object')}: {', '.join(each[:20])}{more}"]
    num_empty = sum(len(of_picture) == 0 for of_picture in labels)
    if num_empty:
        notes.append(
            f"{count(num_empty, 'picture')} without objects: kept, they teach what is none"
        )
    return notes


def require_objects(
    given: str, labels: Sequence[Int64[np.ndarray, " _m"]], notes: Sequence[str]
) -> None:
    """Refuses a source of pictures without objects: nothing could be learned from it, or judged.

    Args:
        given: the source as the user gave it.
        labels: of the objects of each picture.
        notes: what happened to objects that were left out.

    Raises:
        DataError: there is not one object.
    """
    if not any(map(len, labels)):
        why = f" ({'; '.join(notes)})" if notes else ""
        raise DataError(
            f"{given}: no object in any of {count(len(labels), 'picture')}{why}; at least one "
            "picture must show something"
        )


def in_order(pictures: Sequence[Described]) -> list[Described]:
    """Split by split, in each by name."""
    return sorted(
        pictures, key=lambda each: (SPLIT_ORDER.index(each.split), natural_key(each.name))
    )


def split_samples(
    pictures: Pictures, split_of: Sequence[str], annotations: Annotations
) -> dict[str, Samples]:
    """The samples of each split; ``pictures`` stand split by split."""
    ids = np.arange(len(pictures))
    of = np.array(split_of)
    return {
        split: Samples(
            pictures=pictures, ids=ids[of == split], labels=None, annotations=annotations
        )
        for split in SPLIT_ORDER
        if split in split_of
    }


def some(names: Sequence[str]) -> str:
    """The first few different names."""
    different = list(dict.fromkeys(names))
    more = ", ..." if len(different) > _SHOWN else ""
    return f"{', '.join(different[:_SHOWN])}{more}"
