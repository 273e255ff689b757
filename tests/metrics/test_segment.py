"""Pixel figures are what a loop over pixels counts, and what is ignored counts nowhere."""

import numpy as np
import pytest

from saccade.metrics.segment import MapMetrics

IGNORED = 255
NAMES = ("background", "cat", "dog", "emu")


def pictures(count: int = 4) -> list[tuple[np.ndarray, np.ndarray]]:
    """Predicted and true; no pixel is or is said to be an emu."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        shape = (5 + number, 6)
        truth = rng.integers(0, 3, shape).astype(np.uint8)
        truth[0, :2] = IGNORED
        made.append((rng.integers(0, 3, shape).astype(np.uint8), truth))
    made[0][1][made[0][1] == 2] = 0  # no dog in the first one
    made[0][0][made[0][0] == 2] = 1
    return made


def collected() -> MapMetrics:
    metrics = MapMetrics(NAMES)
    for predicted, truth in pictures():
        metrics.update(predicted, truth)
    return metrics


def counts(predicted: np.ndarray, truth: np.ndarray, k: int) -> tuple[int, int, int]:
    """Right, said and true pixels of a class, one by one."""
    both = said = true = 0
    for p, t in zip(predicted.ravel(), truth.ravel(), strict=True):
        if t != IGNORED:
            both += p == k == t
            said += p == k
            true += t == k
    return both, said, true


def test_the_rows_are_those_of_a_loop_over_pixels() -> None:
    rows = collected().per_class()

    for k, name in enumerate(NAMES[:3]):
        each = [counts(predicted, truth, k) for predicted, truth in pictures()]
        both, said, true = np.sum(each, axis=0)
        dice = [2 * b / (s + t) for b, s, t in each if s + t]
        assert rows[k].name == name
        assert rows[k].pixels == true
        assert rows[k].iou == pytest.approx(both / (said + true - both))
        assert rows[k].dice == pytest.approx(np.mean(dice))
        assert rows[k].precision == pytest.approx(both / said)
        assert rows[k].recall == pytest.approx(both / true)


def test_a_class_that_is_nowhere_has_no_figures_and_does_not_count() -> None:
    metrics = collected()

    row = metrics.per_class()[3]
    assert (row.pixels, row.iou, row.dice, row.precision, row.recall) == (0, None, None, None, None)
    ious = [row.iou for row in metrics.per_class()[:3]]
    assert metrics.metrics()["miou"].value == pytest.approx(np.mean([i for i in ious if i]))


def test_the_background_counts_in_miou_and_not_in_dice() -> None:
    metrics = collected()

    figures, rows = metrics.metrics(), metrics.per_class()
    assert rows[1].dice is not None
    assert rows[2].dice is not None
    assert figures["dice"].value == pytest.approx((rows[1].dice + rows[2].dice) / 2)


def test_accuracy_is_the_share_of_known_pixels_that_is_right() -> None:
    right = known = 0
    for predicted, truth in pictures():
        right += (predicted == truth)[truth != IGNORED].sum()
        known += (truth != IGNORED).sum()

    assert collected().metrics()["pixel_accuracy"].value == pytest.approx(right / known)


def test_the_confusion_has_true_classes_as_rows() -> None:
    metrics = MapMetrics(("a", "b"))
    metrics.update(np.array([[0, 1, 1]], np.uint8), np.array([[0, 0, IGNORED]], np.uint8))

    assert metrics.confusion.tolist() == [[1, 1], [0, 0]]


def test_where_nothing_was_said_a_pixel_is_missed_and_no_class_was_said_too_often() -> None:
    metrics = MapMetrics(("a", "b"))
    truth = np.array([[0, 0, 1, 1]], np.uint8)

    metrics.update(np.array([[0, IGNORED, 1, IGNORED]], np.uint8), truth)

    assert [row.precision for row in metrics.per_class()] == [1.0, 1.0]
    assert [row.recall for row in metrics.per_class()] == [0.5, 0.5]
    assert [row.pixels for row in metrics.per_class()] == [2, 2]
    assert metrics.metrics()["pixel_accuracy"].value == 0.5


def test_intervals_hold_the_figure_and_shrink_with_more_pictures() -> None:
    few, many = MapMetrics(NAMES), MapMetrics(NAMES)
    for predicted, truth in pictures():
        few.update(predicted, truth)
    for predicted, truth in pictures() * 20:
        many.update(predicted, truth)

    for name, figure in few.metrics().items():
        other = many.metrics()[name]
        assert figure.low <= figure.value <= figure.high
        assert other.value == pytest.approx(figure.value)
        assert other.high - other.low < figure.high - figure.low


def test_each_picture_has_a_dice_and_an_accuracy() -> None:
    metrics = MapMetrics(NAMES)
    empty = np.zeros((3, 3), np.uint8)
    metrics.update(empty, empty)  # nothing but background, and nothing else was said
    metrics.update(empty + 1, empty)
    metrics.update(empty, empty + IGNORED)

    assert metrics.mean_dice_of_pictures().tolist() == [1.0, 0.0, 1.0]
    assert metrics.accuracy_of_pictures().tolist() == [1.0, 0.0, 1.0]


def test_perfect_maps_are_worth_one() -> None:
    metrics = MapMetrics(NAMES)
    for _, truth in pictures():
        metrics.update(truth.clip(max=2), truth)

    assert {name: each.value for name, each in metrics.metrics().items()} == {
        "miou": 1.0,
        "dice": 1.0,
        "pixel_accuracy": 1.0,
    }
