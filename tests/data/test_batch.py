"""A batch keeps its parts together when it moves."""

import torch

from saccade.data.batch import Batch
from saccade.data.targets import BoxTargets, ToldLogits


def test_a_batch_moves_whole():
    images = torch.arange(24, dtype=torch.uint8).view(2, 3, 2, 2)
    batch = Batch(images=images, targets=torch.tensor([1, 0]), ids=torch.tensor([7, 8]))
    moved = batch.to(torch.device("cpu"))
    assert len(moved) == 2
    assert torch.equal(moved.images, images)
    assert moved.labels is not None
    assert moved.labels.tolist() == [1, 0]
    assert moved.ids.tolist() == [7, 8]


def test_unknown_targets_stay_unknown():
    batch = Batch(
        images=torch.zeros(1, 1, 2, 2, dtype=torch.uint8), targets=None, ids=torch.tensor([0])
    )
    assert batch.to(torch.device("cpu")).targets is None


def test_parts_hold_every_picture_once_with_all_that_is_known_about_it():
    boxes = BoxTargets(
        boxes_xyxy=torch.arange(20.0).view(5, 1, 4),
        labels=torch.arange(5)[:, None],
        is_crowd=torch.zeros(5, 1, dtype=torch.bool),
    )
    batch = Batch(
        images=torch.arange(5, dtype=torch.uint8)[:, None, None, None].expand(5, 3, 2, 2),
        targets=boxes,
        ids=torch.arange(5) + 10,
        sizes=torch.arange(10).view(5, 2),
    )

    parts = batch.parts(2)

    assert [len(part) for part in parts] == [2, 2, 1]
    assert torch.cat([part.images for part in parts]).equal(batch.images)
    assert torch.cat([part.ids for part in parts]).equal(batch.ids)
    assert torch.cat([part.sizes for part in parts if part.sizes is not None]).equal(
        torch.arange(10).view(5, 2)
    )
    for number, part in enumerate(parts):
        assert isinstance(part.targets, BoxTargets)
        rows = slice(2 * number, 2 * number + 2)
        assert part.targets.labels.equal(boxes.labels[rows])
        assert part.targets.boxes_xyxy.equal(boxes.boxes_xyxy[rows])


def test_labels_are_cut_like_pictures():
    batch = Batch(
        images=torch.zeros(3, 1, 2, 2, dtype=torch.uint8),
        targets=torch.tensor([5, 6, 7]),
        ids=torch.arange(3),
    )
    assert [part.labels.tolist() for part in batch.parts(2)] == [[5, 6], [7]]


def test_what_a_teacher_says_stays_with_its_pictures():
    batch = Batch(
        images=torch.zeros(3, 1, 2, 2, dtype=torch.uint8),
        targets=None,
        ids=torch.arange(3),
        told=ToldLogits(logits=torch.arange(6.0).view(3, 2)),
    )
    told = [part.told for part in batch.to(torch.device("cpu")).parts(2)]
    assert [each.logits.tolist() for each in told if isinstance(each, ToldLogits)] == [
        [[0, 1], [2, 3]],
        [[4, 5]],
    ]
