"""The usual object is the median one, as a share of its own picture."""

import numpy as np
import pytest

from saccade.data.annotations import Annotation, Boxes, ClassMap
from saccade.data.pictures import PictureArray
from saccade.data.samples import Samples
from saccade.planning.objects import look_at_objects


class Known:
    """Annotations in a list."""

    def __init__(self, *annotations: Annotation) -> None:
        self._annotations = annotations

    def load(self, i: int) -> Annotation:
        return self._annotations[i]

    def stamp(self, i: int) -> str:
        return str(i)


def boxes(*corners: tuple[float, float, float, float], crowds: tuple[int, ...] = ()) -> Boxes:
    return Boxes(
        boxes_xyxy=np.array(corners, dtype=np.float32).reshape(-1, 4),
        labels=np.zeros(len(corners), dtype=np.int64),
        is_crowd=np.isin(np.arange(len(corners)), crowds),
    )


def samples(*annotations: Annotation) -> Samples:
    """Pictures of 40 x 80 pixels."""
    pictures = PictureArray(np.zeros((len(annotations), 40, 80, 3), dtype=np.uint8), "drawn")
    return Samples(
        pictures=pictures,
        ids=np.arange(len(annotations)),
        labels=None,
        annotations=Known(*annotations),
    )


def test_sizes_are_medians_of_shares_over_all_objects() -> None:
    facts = look_at_objects(
        samples(boxes((0, 0, 8, 20), (0, 0, 16, 10)), boxes(), boxes((10, 0, 34, 30)))
    )

    assert facts is not None
    assert facts.width == pytest.approx(16 / 80)
    assert facts.height == pytest.approx(20 / 40)
    assert facts.per_picture == pytest.approx(1.0)
    assert facts.small == pytest.approx(np.quantile([20 / 80, 16 / 80, 30 / 80], 0.1))


def test_crowds_are_no_objects() -> None:
    facts = look_at_objects(samples(boxes((0, 0, 8, 8), (0, 0, 80, 40), crowds=(1,))))

    assert facts is not None
    assert facts.width == pytest.approx(0.1)


def test_without_boxes_there_is_nothing_to_say() -> None:
    classes = ClassMap(classes=np.zeros((40, 80), dtype=np.uint8))
    bare = samples(boxes())

    assert look_at_objects(samples(boxes(), boxes())) is None
    assert look_at_objects(samples(classes)) is None
    assert look_at_objects(Samples(pictures=bare.pictures, ids=bare.ids, labels=None)) is None
