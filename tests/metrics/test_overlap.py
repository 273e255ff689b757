"""Overlaps are shared pixels over pixels in all, counted one by one; of crowds over the found."""

import numpy as np
import pytest

from saccade.metrics import overlap as overlap_module
from saccade.metrics.overlap import areas, overlaps

NO_CROWD = np.zeros(3, dtype=bool)


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """With whole corners inside 20 x 24 pixels, some without area."""
    x, y = np.sort(rng.integers(0, 25, (count, 2))), np.sort(rng.integers(0, 21, (count, 2)))
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1).astype(np.float64)


def painted(boxes: np.ndarray) -> np.ndarray:
    masks = np.zeros((len(boxes), 20, 24), dtype=bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes.astype(int), strict=True):
        mask[top:bottom, left:right] = True
    return masks


def naive(found: np.ndarray, true: np.ndarray, is_crowd: np.ndarray) -> np.ndarray:
    """Mask by mask."""
    table = np.zeros((len(found), len(true)))
    for d, a in enumerate(found):
        for g, b in enumerate(true):
            whole = a.sum() if is_crowd[g] else (a | b).sum()
            table[d, g] = (a & b).sum() / whole if whole else 0.0
    return table


@pytest.mark.parametrize("seed", range(8))
def test_boxes_and_masks_overlap_as_their_pixels_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found, true = random_boxes(rng, 5), random_boxes(rng, 3)
    is_crowd = rng.random(3) < 0.5

    expected = naive(painted(found), painted(true), is_crowd)
    np.testing.assert_allclose(overlaps(found, true, is_crowd), expected, atol=1e-12)
    np.testing.assert_allclose(overlaps(painted(found), painted(true), is_crowd), expected)


def test_areas_of_boxes_and_of_masks_are_their_pixels() -> None:
    boxes = random_boxes(np.random.default_rng(0), 6)

    assert np.array_equal(areas(boxes), areas(painted(boxes)))
    assert np.array_equal(areas(boxes), painted(boxes).sum(axis=(1, 2)))


def test_masks_that_are_summed_in_pieces_have_the_same_overlap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(1)
    found, true = rng.random((4, 20, 24)) < 0.5, rng.random((3, 20, 24)) < 0.5
    whole = overlaps(found, true, NO_CROWD)

    monkeypatch.setattr(overlap_module, "_MOST_NUMBERS", 70)  # ten pixels at a time

    assert np.array_equal(overlaps(found, true, NO_CROWD), whole)


def test_nothing_against_something_is_an_empty_table() -> None:
    boxes, masks = random_boxes(np.random.default_rng(0), 3), np.zeros((3, 5, 4), dtype=bool)

    assert overlaps(boxes[:0], boxes, NO_CROWD).shape == (0, 3)
    assert overlaps(boxes, boxes[:0], NO_CROWD[:0]).shape == (3, 0)
    assert overlaps(masks, masks[:0], NO_CROWD[:0]).shape == (3, 0)
    assert not overlaps(masks, masks, NO_CROWD).any()
