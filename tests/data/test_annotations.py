"""What is known about a picture follows it into the model's size."""

import numpy as np
import pytest

from saccade.config.run import Preprocess
from saccade.data.annotations import (
    IGNORED_CLASS,
    IGNORED_SEGMENT,
    Annotation,
    Boxes,
    ClassMap,
    Partner,
    Segments,
)
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.placement import place

PAD = Preprocess(height=20, width=20, channels=3, fit="pad", mean=(0.5,) * 3, std=(0.25,) * 3)


def fitted(annotation: Annotation, height: int = 10, width: int = 20) -> Annotation:
    return annotation.fit(place(height, width, PAD), PAD)


def test_boxes_are_scaled_and_moved_and_keep_what_they_are():
    boxes = Boxes(
        boxes_xyxy=np.array([[0, 0, 4, 6], [2, 3, 20, 10]], np.float32),
        labels=np.array([2, 0]),
        is_crowd=np.array([False, True]),
    )
    found = fitted(boxes)
    assert isinstance(found, Boxes)
    assert found.boxes_xyxy.tolist() == [[0, 5, 4, 11], [2, 8, 20, 15]]
    assert found.labels.tolist() == [2, 0]
    assert found.is_crowd.tolist() == [False, True]


def test_a_picture_without_objects_stays_without():
    nothing = Boxes(
        boxes_xyxy=np.empty((0, 4), np.float32),
        labels=np.empty(0, np.int64),
        is_crowd=np.empty(0, bool),
    )
    found = fitted(nothing)
    assert isinstance(found, Boxes)
    assert found.boxes_xyxy.shape == (0, 4)


def test_the_bars_of_a_class_map_are_ignored():
    found = fitted(ClassMap(classes=np.full((10, 20), 3, np.uint8)))
    assert isinstance(found, ClassMap)
    assert (found.classes[5:15] == 3).all()
    assert (found.classes[:5] == IGNORED_CLASS).all()


def test_the_bars_of_a_segment_map_are_ignored():
    segments = Segments(segments=np.ones((10, 20), np.int32), labels=np.array([7]))
    found = fitted(segments)
    assert isinstance(found, Segments)
    assert (found.segments[5:15] == 1).all()
    assert (found.segments[15:] == IGNORED_SEGMENT).all()
    assert found.labels.tolist() == [7]


def test_a_partner_gets_the_models_size_by_itself():
    found = fitted(Partner(image=np.full((5, 10, 3), 200, np.uint8)))
    assert isinstance(found, Partner)
    assert found.image.shape == (20, 20, 3)
    assert (found.image[5:15] == 200).all()


@pytest.mark.parametrize(
    "annotation",
    [
        ClassMap(classes=np.zeros((9, 20), np.uint8)),
        Segments(segments=np.zeros((20, 10), np.int32), labels=np.array([0])),
    ],
)
def test_a_mask_of_another_size_is_refused_with_both_sizes(annotation: Annotation):
    with pytest.raises(UnreadablePicture, match=r"mask is \d+ x \d+ pixels, and the picture 20"):
        fitted(annotation)
