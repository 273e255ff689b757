"""A batch keeps its parts together when it moves."""

import torch

from saccade.data.batch import Batch


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
