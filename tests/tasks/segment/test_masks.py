"""Masks are read at the input's pixels, and true ones are those that have any."""

import torch

from saccade.tasks.segment.masks import Masks, true_regions


def test_masks_are_enlarged_to_the_input_without_its_padding() -> None:
    logits = torch.full((1, 1, 3, 3), -5.0)
    logits[0, 0, 0] = 5.0  # the upper row of cells
    masks = Masks(
        scores=torch.ones(1, 1),
        labels=torch.zeros(1, 1, dtype=torch.int64),
        mask_logits=logits,
        cell_size=4,
        height=10,
        width=11,
    )

    inside = masks.probs(0)[0] >= 0.5

    assert inside.shape == (10, 11)
    assert inside[:4].all()  # the border lies midway between cells of opposite logits
    assert not inside[4:].any()


def test_segments_without_a_pixel_are_not_looked_for() -> None:
    segments = torch.tensor([[1, 1, 0], [3, 0, 0]], dtype=torch.int32).numpy()

    truth = true_regions(segments, torch.tensor([5, 6, 7]).numpy())

    assert truth.labels.tolist() == [5, 7]
    assert truth.regions.sum(axis=(1, 2)).tolist() == [2, 1]
