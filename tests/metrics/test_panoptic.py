"""Panoptic quality is what a search over all pairs gives, and unknown pixels are out of it."""

import numpy as np
import pytest

from saccade.metrics.panoptic import PanopticMetrics

NAMES = ("cell", "wall")


def stripes(widths: list[tuple[int, int]], *, height: int = 4) -> np.ndarray:
    """Segment numbers in stripes of the widths given."""
    row = np.concatenate([np.full(width, number) for number, width in widths])
    return np.broadcast_to(row, (height, len(row))).astype(np.int32)


def naive(found: np.ndarray, said: np.ndarray, truth: np.ndarray, labels: np.ndarray, k: int):
    """Overlap, matches, missed and false of a class, by trying all pairs."""
    known = truth != -1
    ious, used = [], set()
    mine = [m + 1 for m in range(len(said)) if said[m] == k]
    theirs = [m + 1 for m in range(len(labels)) if labels[m] == k and (truth == m + 1).any()]
    for one in mine:
        for other in theirs:
            a, b = (found == one) & known, truth == other
            iou = (a & b).sum() / (a | b).sum()
            if iou > 0.5:
                ious.append(iou)
                used.add(one)
    false = sum(
        1
        for one in mine
        if one not in used
        and (found == one).any()
        # as in the tool that came with the paper: left out when more than half is unknown
        and not ((found == one) & ~known).sum() / (found == one).sum() > 0.5
    )
    return sum(ious), len(ious), len(theirs) - len(ious), false


def test_the_figures_are_those_of_a_search_over_all_pairs() -> None:
    rng = np.random.default_rng(0)
    metrics, totals = PanopticMetrics(NAMES), np.zeros((2, 4))
    for _ in range(6):
        widths = rng.integers(2, 6, 6).tolist()
        truth = stripes(list(zip([1, 0, 2, 3, 4, -1], widths, strict=True)))
        found = np.roll(truth, 1, axis=1).clip(min=0)
        labels, said = rng.integers(0, 2, 4), rng.integers(0, 2, 4)
        said[:2] = labels[:2]
        metrics.update(found, said, truth, labels)
        for k in range(2):
            totals[k] += naive(found, said, truth, labels, k)

    for row, (overlap, matched, missed, false) in zip(metrics.per_class(), totals, strict=True):
        assert row.segments == matched + missed
        assert row.sq == pytest.approx(overlap / matched)
        assert row.rq == pytest.approx(matched / (matched + (missed + false) / 2))
        assert row.pq == pytest.approx(overlap / (matched + (missed + false) / 2))
        assert row.precision == pytest.approx(matched / (matched + false))
        assert row.recall == pytest.approx(matched / (matched + missed))
    assert metrics.metrics()["pq"].value == pytest.approx(
        np.mean([row.pq or 0.0 for row in metrics.per_class()])
    )


def test_the_right_mask_of_another_class_is_missed_and_false() -> None:
    metrics = PanopticMetrics(NAMES)
    truth = stripes([(1, 3), (0, 3)])

    metrics.update(truth, np.array([1]), truth, np.array([0]))

    assert metrics.counts_of_pictures().tolist() == [[0, 1, 1]]
    assert metrics.metrics()["pq"].value == 0


@pytest.mark.parametrize(("unknown", "false"), [(9, 1), (10, 1), (11, 0), (20, 0)])
def test_a_segment_is_false_unless_more_than_half_of_it_is_unknown(
    unknown: int, false: int
) -> None:
    metrics = PanopticMetrics(NAMES)
    found = stripes([(1, 20)], height=1)

    metrics.update(
        found,
        np.array([0]),
        stripes([(-1, unknown), (0, 20 - unknown)], height=1),
        np.zeros(0, np.int64),
    )

    assert metrics.counts_of_pictures().tolist() == [[0, 0, false]]


def test_half_an_overlap_is_no_match_and_a_pixel_more_is() -> None:
    for extra, matched in ((0, 0), (1, 1)):
        metrics = PanopticMetrics(NAMES)
        truth = stripes([(1, 20), (0, 20)], height=1)
        found = stripes([(1, 10 + extra), (0, 30 - extra)], height=1)
        metrics.update(found, np.array([0]), truth, np.array([0]))
        assert metrics.counts_of_pictures()[0, 0] == matched


def test_what_is_found_where_nobody_knows_is_not_false() -> None:
    metrics = PanopticMetrics(NAMES)
    truth = stripes([(-1, 4), (0, 3)])

    metrics.update(stripes([(1, 5), (0, 2)]), np.array([0]), truth, np.zeros(0, np.int64))
    metrics.update(stripes([(1, 7)]), np.array([0]), truth, np.zeros(0, np.int64))
    metrics.update(stripes([(0, 1), (1, 6)]), np.array([0]), truth, np.zeros(0, np.int64))

    assert metrics.counts_of_pictures()[:, 2].tolist() == [0, 0, 1]  # half is not most
    metrics.update(stripes([(0, 4), (1, 3)]), np.array([0]), truth, np.zeros(0, np.int64))
    assert metrics.counts_of_pictures()[3, 2] == 1


def test_a_segment_without_pixels_is_not_missed() -> None:
    metrics = PanopticMetrics(NAMES)
    nothing = stripes([(0, 4)])

    metrics.update(nothing, np.zeros(0, np.int64), nothing, np.array([0, 1]))

    assert metrics.counts_of_pictures().tolist() == [[0, 0, 0]]
    assert [row.pq for row in metrics.per_class()] == [None, None]


def test_intervals_hold_the_figure() -> None:
    metrics, truth = PanopticMetrics(NAMES), stripes([(1, 3), (0, 3), (2, 4)])
    for number in range(5):
        found = truth if number % 2 else np.where(truth == 1, 0, truth)
        metrics.update(found, np.array([0, 1]), truth, np.array([0, 1]))

    for figure in metrics.metrics().values():
        assert 0 <= figure.low <= figure.value <= figure.high <= 1
    pq = metrics.metrics()["pq"]
    assert pq.low < pq.value < pq.high
