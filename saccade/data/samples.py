"""Pictures with their labels, and the source that they came from."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from saccade.data.annotations import Annotations, Boxes, Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.listing import Ignored
from saccade.data.pictures import Pictures

_SHOWN_NAMES = 3  # examples of what was ignored, for each reason
_SHOWN_CLASSES = 20  # more are summed up


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Some of the pictures, in an order, with their labels.

    Attributes:
        pictures: where they lie; several Samples may share them.
        ids: for each sample the number of its picture in ``pictures``.
        labels: for each sample its class, 0 to K - 1; None where classes are not known, or are
            not of whole pictures.
        annotations: what is known about the pictures beyond their class, by their numbers.
        groups: for each sample the number of what it was taken from (a video, a person): a group
            is never on both sides of a split. None: each sample is a group of its own.
        noun: what a person calls a sample.
    """

    pictures: Pictures
    ids: Int64[np.ndarray, " N"]
    labels: Int64[np.ndarray, " N"] | None
    annotations: Annotations | None = None
    groups: Int64[np.ndarray, " N"] | None = None
    noun: str = "picture"

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, positions: Int64[np.ndarray, " n"]) -> "Samples":
        """The samples at these positions (not ids), in this order."""
        return replace(
            self,
            ids=self.ids[positions],
            labels=None if self.labels is None else self.labels[positions],
            groups=None if self.groups is None else self.groups[positions],
        )

    def names(self) -> list[str]:
        """What a person calls each sample's picture."""
        return [self.pictures.name(i) for i in self.ids.tolist()]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A recognised source of pictures.

    Attributes:
        path: as the user gave it.
        kind: what it is, in words for a person.
        class_names: the name of each label, of pictures, objects or pixels; None if there are none.
        splits: by "train", "val" and "test", or only "all".
        notes: sentences about what was understood in some way.
        ignored: what is not used, each with a reason.
    """

    path: str
    kind: str
    class_names: tuple[str, ...] | None
    splits: dict[str, Samples]
    notes: tuple[str, ...]
    ignored: tuple[Ignored, ...]

    @property
    def noun(self) -> str:
        """What a person calls a sample."""
        return next(iter(self.splits.values())).noun

    def describe(self) -> list[str]:
        """Lines that tell a person what was found and what was passed over."""
        total = sum(len(samples) for samples in self.splits.values())
        classes = "" if self.class_names is None else f", {count(len(self.class_names), 'class')}"
        lines = [f"{self.path}: {self.kind}, {count(total, self.noun)}{classes}", *self.notes]
        for split, samples in self.splits.items():
            lines.append(f"{split}: {_describe_samples(samples, self.class_names)}")
        reasons = Counter(entry.reason for entry in self.ignored)
        for reason, number in reasons.items():
            names = [entry.name for entry in self.ignored if entry.reason == reason]
            more = ", ..." if number > _SHOWN_NAMES else ""
            lines.append(f"ignored {number:,} ({reason}): {', '.join(names[:_SHOWN_NAMES])}{more}")
        return lines


def has_objects(samples: Samples) -> bool:
    """Whether any picture has an object; True where objects are not what is known of them.

    Stops at the first one, so it is slow only where the answer is no.
    """
    if samples.annotations is None:
        return True
    for i in samples.ids.tolist():
        try:
            known = samples.annotations.load(i)
        except UnreadablePicture:
            continue  # the loader counts and names it
        match known:
            case Boxes(is_crowd=is_crowd):
                found = not is_crowd.all()  # False without any
            case Segments(labels=labels):
                found = len(labels) > 0
            case _:
                return True
        if found:
            return True
    return False


def count(number: int, noun: str) -> str:
    """A number with its noun: ``1 picture``, ``2,062 pictures``, ``2 classes``."""
    if number != 1:
        noun += "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}"


def _describe_samples(samples: Samples, class_names: tuple[str, ...] | None) -> str:
    """How many pictures, and how many of each class."""
    total = count(len(samples), samples.noun)
    if samples.labels is None or class_names is None:
        return total
    counts = np.bincount(samples.labels, minlength=len(class_names)).tolist()
    if len(class_names) > _SHOWN_CLASSES:
        return f"{total}, {min(counts):,} to {max(counts):,} in each class"
    each = ", ".join(f"{name} {number:,}" for name, number in zip(class_names, counts, strict=True))
    return f"{total} ({each})"
