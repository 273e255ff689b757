"""The same samples with another numbering of the classes: two lists are matched by name."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from saccade.data.annotations import (
    IGNORED_CLASS,
    Annotation,
    Annotations,
    Boxes,
    ClassMap,
    Partner,
    Segments,
)
from saccade.data.samples import Samples


def relabel(samples: Samples, given: tuple[str, ...], wanted: tuple[str, ...]) -> Samples:
    """The samples with the class ids of another list.

    Args:
        samples: with class ids that are places in ``given``.
        given: the names of their classes.
        wanted: the same names in another order.
    """
    if given == wanted:
        return samples
    places = np.array([wanted.index(name) for name in given])
    return replace(
        samples,
        labels=None if samples.labels is None else places[samples.labels],
        annotations=None
        if samples.annotations is None
        else _Relabelled(samples.annotations, places),
    )


@dataclass(frozen=True, eq=False)
class _Relabelled:
    """Annotations with other class ids."""

    annotations: Annotations
    places: Int64[np.ndarray, " K"]

    def load(self, i: int) -> Annotation:
        found = self.annotations.load(i)
        match found:
            case Boxes() | Segments():
                return replace(found, labels=self.places[found.labels])
            case ClassMap():
                table = np.full(256, IGNORED_CLASS, dtype=np.uint8)
                table[: len(self.places)] = self.places
                return ClassMap(classes=table[found.classes])
            case Partner():
                return found

    def stamp(self, i: int) -> str:
        return self.annotations.stamp(i)
