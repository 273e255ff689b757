"""Annotations of one size become a batch, and follow what happens to its pictures."""

import numpy as np
import torch

from saccade.data.annotations import Boxes, ClassMap, Partner, Segments
from saccade.data.targets import (
    PADDING,
    BoxTargets,
    MapTargets,
    PictureTargets,
    SegmentTargets,
    collate,
    each_tensor,
)
from saccade.data.warp import Warp

MIRROR = Warp(matrix=torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]]).repeat(2, 1, 1), height=8, width=10)


def boxes(*rows: list[float], label: int = 1) -> Boxes:
    return Boxes(
        boxes_xyxy=np.array(rows, np.float32).reshape(-1, 4),
        labels=np.full(len(rows), label),
        is_crowd=np.zeros(len(rows), bool),
    )


def test_pictures_with_fewer_objects_are_padded():
    found = collate([boxes([0, 0, 2, 2], [1, 1, 3, 3]), boxes()])
    assert isinstance(found, BoxTargets)
    assert found.boxes_xyxy.shape == (2, 2, 4)
    assert found.labels.tolist() == [[1, 1], [PADDING, PADDING]]


def test_a_batch_in_which_nothing_is_to_be_seen_has_no_rows():
    found = collate([boxes(), boxes()])
    assert isinstance(found, BoxTargets)
    assert found.labels.shape == (2, 0)
    assert found.warp(MIRROR).labels.shape == (2, 0)


def test_boxes_follow_and_padding_stays_padding():
    found = collate([boxes([0, 0, 4, 4], [1, 1, 3, 3]), boxes([6, 2, 10, 8])])
    assert isinstance(found, BoxTargets)
    moved = found.warp(MIRROR)
    wanted = torch.tensor([[6.0, 0, 10, 4], [7, 1, 9, 3], [0, 2, 4, 8]])
    found_boxes = moved.boxes_xyxy.flatten(0, 1)[:3]
    torch.testing.assert_close(found_boxes, wanted, atol=1e-5, rtol=0)
    assert moved.labels.tolist() == [[1, 1], [1, PADDING]]


def test_maps_follow():
    classes = np.arange(80, dtype=np.uint8).reshape(8, 10)
    found = collate([ClassMap(classes=classes), ClassMap(classes=classes[::-1].copy())])
    assert isinstance(found, MapTargets)
    assert (found.warp(MIRROR).classes == found.classes.flip(2)).all()


def test_segments_follow_and_keep_their_labels():
    segments = np.tile(np.arange(10, dtype=np.int32), (8, 1)) // 5
    found = collate(
        [
            Segments(segments=segments, labels=np.array([4])),
            Segments(segments=segments * 2, labels=np.array([3, 2])),
        ]
    )
    assert isinstance(found, SegmentTargets)
    assert found.labels.tolist() == [[4, PADDING], [3, 2]]
    moved = found.warp(MIRROR)
    assert (moved.segments == found.segments.flip(2)).all()
    assert moved.labels.tolist() == found.labels.tolist()


def test_partners_follow():
    image = np.random.default_rng(0).integers(0, 256, (8, 10, 3)).astype(np.uint8)
    found = collate([Partner(image=image), Partner(image=image)])
    assert isinstance(found, PictureTargets)
    assert found.images.shape == (2, 3, 8, 10)
    assert (found.warp(MIRROR).images == found.images.flip(3)).all()


def test_targets_go_to_a_device_whole():
    for each in (
        collate([boxes([0, 0, 2, 2])]),
        collate([ClassMap(classes=np.zeros((4, 4), np.uint8))]),
        collate([Segments(segments=np.zeros((4, 4), np.int32), labels=np.array([1]))]),
        collate([Partner(image=np.zeros((4, 4, 3), np.uint8))]),
    ):
        assert not isinstance(each, torch.Tensor)
        there = each_tensor(each, lambda tensor: tensor.to("meta"))
        assert all(tensor.is_meta for tensor in vars(there).values())
