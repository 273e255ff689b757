"""The pixels of objects get their classes, and unknown ones stay unknown."""

import pytest
import torch

from saccade.data.targets import SegmentTargets
from saccade.tasks.segment.class_maps import class_maps


@pytest.mark.parametrize("has_background", [True, False])
def test_objects_become_classes_of_pixels(has_background: bool) -> None:
    segments = torch.tensor([[[0, 1, 2], [-1, 2, 1]], [[0, 1, 0], [0, 0, 2]]], dtype=torch.int32)
    labels = torch.tensor([[2, 0], [1, -1]])  # segment 2 of picture 1 was left without a class

    found = class_maps(
        SegmentTargets(segments=segments, labels=labels), has_background=has_background
    )

    none, first = (0, 1) if has_background else (255, 0)
    assert found.dtype == torch.uint8
    assert found.tolist() == [
        [[none, first + 2, first], [255, first, first + 2]],
        [[none, first + 1, none], [none, none, 255]],
    ]
