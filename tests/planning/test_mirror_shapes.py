"""Outlines tell whether pictures with masks may be mirrored."""

from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Int64

from saccade.data.annotations import Annotation, Boxes, ClassMap, Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.pictures import PictureFiles, Pictures
from saccade.data.samples import Samples
from saccade.planning.mirror_shapes import shape_mirror_ratio

LEFT_FOOT = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]], dtype=bool)
RIGHT_FOOT = LEFT_FOOT[:, ::-1]
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool)
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)


class Drawn:
    """Annotations made on the spot; picture 0 cannot be read."""

    def __init__(self, shapes: list[np.ndarray], *, kind: str) -> None:
        self.shapes, self.kind = shapes, kind

    def load(self, i: int) -> Annotation:
        if i == 0:
            raise UnreadablePicture("its mask is gone")
        rng = np.random.default_rng(i)
        label = int(rng.integers(len(self.shapes)))
        scale, (top, left) = int(rng.integers(3, 6)), rng.integers(0, 20, 2)
        shape = self.shapes[label].repeat(scale, axis=0).repeat(scale, axis=1)
        rows, columns = (slice(at, at + len(shape)) for at in (top, left))
        if self.kind == "classes":
            classes = np.zeros((40, 40), np.uint8)
            classes[rows, columns][shape] = label + 1
            return ClassMap(classes=classes)
        segments = np.zeros((40, 40), np.int32)
        segments[rows, columns][shape] = 1
        return Segments(segments=segments, labels=np.array([label]))

    def stamp(self, i: int) -> str:
        return str(i)


def samples(annotations: Drawn, pictures: Pictures, *, count: int = 60) -> Samples:
    ids: Int64[np.ndarray, " N"] = np.arange(count)
    return Samples(pictures=pictures, ids=ids, labels=None, annotations=annotations)


@pytest.fixture
def pictures() -> Pictures:
    """Nobody looks at them."""
    return PictureFiles(Path("nowhere"), ("a.png",) * 60)


@pytest.mark.parametrize("kind", ["classes", "segments"])
def test_shapes_that_turn_into_each_other_lose_their_class(kind: str, pictures: Pictures) -> None:
    found = shape_mirror_ratio(samples(Drawn([LEFT_FOOT, RIGHT_FOOT], kind=kind), pictures))

    assert found is not None
    assert found < 0.1


@pytest.mark.parametrize("kind", ["classes", "segments"])
def test_shapes_that_are_their_own_mirror_image_keep_it(kind: str, pictures: Pictures) -> None:
    found = shape_mirror_ratio(samples(Drawn([CROSS, RING], kind=kind), pictures))

    assert found == pytest.approx(1.0)


def test_with_one_class_a_mirror_image_cannot_be_of_another(pictures: Pictures) -> None:
    assert shape_mirror_ratio(samples(Drawn([LEFT_FOOT], kind="segments"), pictures)) == 1.0


def test_shapes_that_say_nothing_give_no_answer(pictures: Pictures) -> None:
    assert shape_mirror_ratio(samples(Drawn([RING, RING], kind="segments"), pictures)) is None


def test_boxes_have_no_outlines(pictures: Pictures) -> None:
    class OnlyBoxes(Drawn):
        def load(self, i: int) -> Annotation:
            return Boxes(
                boxes_xyxy=np.zeros((1, 4), np.float32),
                labels=np.zeros(1, np.int64),
                is_crowd=np.zeros(1, bool),
            )

    assert shape_mirror_ratio(samples(OnlyBoxes([RING], kind=""), pictures)) is None
