"""Class ids of another list stand for the same names."""

from dataclasses import dataclass

import numpy as np

from saccade.data.annotations import Annotation, Boxes, ClassMap, Partner, Segments
from saccade.data.pictures import PictureArray
from saccade.data.relabel import relabel
from saccade.data.samples import Samples

GIVEN, WANTED = ("cat", "dog", "owl"), ("owl", "cat", "dog")


@dataclass(frozen=True)
class Known:
    annotation: Annotation

    def load(self, i: int) -> Annotation:
        return self.annotation

    def stamp(self, i: int) -> str:
        return f"stamp {i}"


def samples(annotation: Annotation | None = None) -> Samples:
    return Samples(
        pictures=PictureArray(np.zeros((3, 2, 2, 1), np.uint8), "all"),
        ids=np.arange(3),
        labels=np.array([0, 1, 2]) if annotation is None else None,
        annotations=None if annotation is None else Known(annotation),
    )


def relabelled(annotation: Annotation) -> Annotation:
    found = relabel(samples(annotation), GIVEN, WANTED).annotations
    assert found is not None
    assert found.stamp(2) == "stamp 2"
    return found.load(0)


def test_labels_follow_their_names():
    found = relabel(samples(), GIVEN, WANTED).labels
    assert found is not None
    assert [WANTED[label] for label in found.tolist()] == list(GIVEN)


def test_the_same_list_changes_nothing():
    given = samples()
    assert relabel(given, GIVEN, GIVEN) is given


def test_objects_and_segments_follow_their_names():
    boxes = Boxes(
        boxes_xyxy=np.zeros((2, 4), np.float32),
        labels=np.array([2, 0]),
        is_crowd=np.zeros(2, bool),
    )
    found = relabelled(boxes)
    assert isinstance(found, Boxes)
    assert found.labels.tolist() == [0, 1]
    segments = Segments(segments=np.array([[0, 1], [2, -1]], np.int32), labels=np.array([1, 2]))
    moved = relabelled(segments)
    assert isinstance(moved, Segments)
    assert moved.labels.tolist() == [2, 0]
    assert (moved.segments == segments.segments).all()


def test_pixels_follow_their_names_and_unknown_ones_stay_unknown():
    found = relabelled(ClassMap(classes=np.array([[0, 1], [2, 255]], np.uint8)))
    assert isinstance(found, ClassMap)
    assert found.classes.tolist() == [[1, 2], [0, 255]]


def test_a_partner_has_no_classes():
    partner = Partner(image=np.zeros((2, 2, 3), np.uint8))
    assert relabelled(partner) is partner
