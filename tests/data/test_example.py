"""An example is a picture in the model's size with what is known about it, in the same pixels."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from saccade.config.run import Preprocess
from saccade.data.annotations import Annotation, Boxes, ClassMap
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.example import example_shape, read_example
from saccade.data.pictures import PictureArray
from saccade.data.samples import Samples

HALF = Preprocess(height=5, width=10, channels=1, fit="squash", mean=(0.5,), std=(0.25,))


@dataclass(frozen=True)
class Known:
    """The same thing about every picture."""

    annotation: Annotation

    def load(self, i: int) -> Annotation:
        return self.annotation

    def stamp(self, i: int) -> str:
        return ""


def samples(annotation: Annotation | None = None) -> Samples:
    pictures = PictureArray(np.zeros((3, 10, 20, 1), np.uint8), "train")
    known = None if annotation is None else Known(annotation)
    return Samples(pictures=pictures, ids=np.array([2, 0]), labels=None, annotations=known)


def test_without_annotations_nobody_asks_for_the_size():
    example = read_example(samples(), 0, HALF, keeps_size=False)
    assert example.image.shape == (1, 5, 10)
    assert (example.annotation, example.size) == (None, None)
    assert read_example(samples(), 0, HALF, keeps_size=True).size == (10, 20)


def test_boxes_come_in_the_inputs_pixels_with_the_pictures_own_size():
    boxes = Boxes(
        boxes_xyxy=np.array([[2, 4, 8, 10]], np.float32),
        labels=np.array([0]),
        is_crowd=np.array([False]),
    )
    example = read_example(samples(boxes), 1, HALF, keeps_size=False)
    assert isinstance(example.annotation, Boxes)
    assert example.annotation.boxes_xyxy.tolist() == [[1, 2, 4, 5]]
    assert example.size == (10, 20)


def test_a_mask_of_another_size_makes_the_example_unreadable():
    wrong = ClassMap(classes=np.zeros((10, 19), np.uint8))
    with pytest.raises(UnreadablePicture, match="mask is 19 x 10"):
        read_example(samples(wrong), 0, HALF, keeps_size=False)


def test_clips_have_one_more_axis():
    assert example_shape(HALF) == (1, 5, 10)
    assert example_shape(replace(HALF, num_frames=4)) == (4, 1, 5, 10)
