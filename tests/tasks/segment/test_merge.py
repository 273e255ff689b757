"""Overlapping masks become segments that share no pixel, by plain rules."""

import torch

from saccade.tasks.segment.merge import merge_masks


def bars(*spans: tuple[int, int], width: int = 10, inside: float = 0.9) -> torch.Tensor:
    """One mask per span of columns, in pictures of one row."""
    probs = torch.full((len(spans), 1, width), 0.1)
    for mask, (start, stop) in zip(probs, spans, strict=True):
        mask[0, start:stop] = inside
    return probs


def merged(probs: torch.Tensor, scores: list[float], labels: list[int], **stuff: set[int]):
    return merge_masks(
        probs, torch.tensor(labels), torch.tensor(scores), smallest_score=0.5, **stuff
    )


def test_masks_apart_become_segments_numbered_by_score() -> None:
    found = merged(bars((5, 9), (0, 3)), [0.9, 0.8], [4, 7])

    assert found.segments.tolist() == [[2, 2, 2, 0, 0, 1, 1, 1, 1, 0]]
    assert found.labels.tolist() == [4, 7]
    assert found.scores.tolist() == torch.tensor([0.9, 0.8]).tolist()


def test_a_pixel_that_two_want_goes_to_the_one_that_wants_it_more() -> None:
    probs = bars((0, 6), (4, 10))
    probs[1] = bars((4, 10), inside=0.95)  # surer of the pixels, less sure of the object

    assert merged(probs, [0.9, 0.8], [0, 0]).segments.tolist() == [[1] * 6 + [2] * 4]
    assert merged(probs, [0.9, 0.89], [0, 0]).segments.tolist() == [[1] * 4 + [2] * 6]


def test_a_mask_that_is_mostly_taken_is_a_double_and_dropped() -> None:
    found = merged(bars((0, 6), (1, 7)), [0.9, 0.8], [0, 0])

    assert found.segments.tolist() == [[1, 1, 1, 1, 1, 1, 0, 0, 0, 0]]
    assert len(found.labels) == 1


def test_masks_of_a_low_score_take_no_part() -> None:
    found = merged(bars((0, 4), (2, 8)), [0.9, 0.4], [0, 0])

    assert found.segments.tolist() == [[1, 1, 1, 1, 0, 0, 0, 0, 0, 0]]


def test_pixels_below_one_half_belong_to_nobody() -> None:
    found = merged(bars((0, 4), inside=0.49), [0.9], [0])

    assert not found.segments.any()
    assert len(found.labels) == 0


def test_pieces_of_stuff_are_one_segment_and_things_are_not() -> None:
    probs = bars((0, 2), (4, 6), (8, 10))

    found = merged(probs, [0.9, 0.8, 0.7], [3, 1, 3], stuff={3})
    assert found.segments.tolist() == [[1, 1, 0, 0, 2, 2, 0, 0, 1, 1]]
    assert found.labels.tolist() == [3, 1]
    assert merged(probs, [0.9, 0.8, 0.7], [3, 1, 3]).labels.tolist() == [3, 1, 3]


def test_nothing_found_is_an_empty_map() -> None:
    found = merged(bars((0, 4)), [0.1], [0])

    assert found.segments.shape == (1, 10)
    assert not found.segments.any()
    assert found.labels.shape == (0,)
