"""Average precision is what it is by a naive loop, and by hand where the numbers are few."""

from dataclasses import replace

import numpy as np
import pytest

from saccade.errors import DataError
from saccade.metrics.average_precision import SHOWN, AveragePrecision, Found, Truth

OFFICIAL = [
    "ap",
    "ap50",
    "ap75",
    "ap_small",
    "ap_medium",
    "ap_large",
    "ar_1",
    "ar_10",
    "ar_100",
    "ar_small",
    "ar_medium",
    "ar_large",
]
"""The twelve figures that the COCO tools print."""


def boxes(*corners: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(corners, dtype=np.float64).reshape(-1, 4)


def found(regions: np.ndarray, labels: list[int], scores: list[float]) -> Found:
    return Found(
        regions=regions, labels=np.array(labels, dtype=np.int64), scores=np.array(scores, float)
    )


def truth(regions: np.ndarray, labels: list[int], *, crowds: tuple[int, ...] = ()) -> Truth:
    is_crowd = np.isin(np.arange(len(labels)), crowds)
    return Truth(regions=regions, labels=np.array(labels, dtype=np.int64), is_crowd=is_crowd)


HERE, THERE, FAR = (0, 0, 10, 10), (50, 50, 60, 60), (90, 0, 99, 9)
NOTHING = found(boxes(), [], [])
EMPTY = truth(boxes(), [])


def test_everything_found_is_one_in_every_figure_that_is_defined() -> None:
    metric = AveragePrecision(("a", "b"))
    metric.update(found(boxes(HERE, THERE), [0, 1], [0.9, 0.8]), truth(boxes(HERE, THERE), [0, 1]))

    figures = metric.figures()

    assert set(figures) == {*OFFICIAL, "precision", "recall", "detections_per_object"} - {
        f"{kind}_{size}" for kind in ("ap", "ar") for size in ("medium", "large")
    }
    assert all(value == 1.0 for value in figures.values())


def test_an_area_that_is_known_counts_before_that_of_the_box() -> None:
    both = boxes((0, 0, 100, 100), (200, 0, 300, 100))
    true = replace(truth(both, [0, 0]), areas=np.array([900.0, np.nan]))
    metric = AveragePrecision(("a",))
    metric.update(found(both[:1], [0], [0.9]), true)
    figures = metric.figures()
    assert (figures["ar_small"], figures["ar_large"]) == (1, 0)
    assert "ar_medium" not in figures


def test_nothing_found_is_zero() -> None:
    metric = AveragePrecision(("a",))
    metric.update(NOTHING, truth(boxes(HERE), [0]))

    figures = metric.figures()

    assert figures["ap"] == figures["ar_100"] == figures["recall"] == 0
    assert "precision" not in figures
    assert "detections_per_object" not in figures


def test_a_box_that_is_off_by_a_third_is_right_at_half_and_wrong_above() -> None:
    """Overlap 2/3: right at 0.5, 0.55, 0.6 and 0.65, four of ten."""
    metric = AveragePrecision(("a",))
    metric.update(found(boxes((0, 0, 10, 15)), [0], [0.9]), truth(boxes(HERE), [0]))

    figures = metric.figures()

    assert figures["ap50"] == 1
    assert figures["ap75"] == 0
    assert figures["ap"] == pytest.approx(0.4)


def test_a_false_alarm_in_a_picture_without_objects_costs_precision() -> None:
    metric = AveragePrecision(("a",))
    metric.update(found(boxes(HERE), [0], [0.9]), EMPTY)
    metric.update(found(boxes(HERE), [0], [0.8]), truth(boxes(HERE), [0]))

    assert metric.figures()["ap50"] == pytest.approx(0.5)
    assert metric.figures()["precision"] == 0.5


def test_a_class_without_objects_is_left_out_of_the_mean() -> None:
    metric = AveragePrecision(("a", "never"))
    metric.update(found(boxes(HERE, THERE), [0, 1], [0.9, 0.9]), truth(boxes(HERE), [0]))

    assert metric.figures()["ap"] == 1
    row = metric.result().per_class[1]
    assert (row.num_objects, row.ap, row.ap50, row.ap75, row.recall) == (0, None, None, None, None)
    assert row.precision == 0


def test_what_is_found_twice_counts_as_two_detections_of_one_object() -> None:
    metric = AveragePrecision(("a",))
    metric.update(
        found(boxes(HERE, (0, 0, 10, 9), THERE, HERE), [0] * 4, [0.9, 0.8, 0.7, 0.4]),
        truth(boxes(HERE, THERE), [0, 0]),
    )

    assert metric.figures()["detections_per_object"] == 1.5  # the one at 0.4 would not be shown
    assert metric.figures()["precision"] == pytest.approx(2 / 3)


def test_other_scores_may_be_shown() -> None:
    metric = AveragePrecision(("a",), smallest_score=0.85)
    metric.update(
        found(boxes(HERE, (0, 0, 10, 9), THERE), [0] * 3, [0.9, 0.8, 0.85]),
        truth(boxes(HERE, THERE), [0, 0]),
    )

    assert metric.figures()["detections_per_object"] == 1
    assert metric.figures()["precision"] == metric.result().per_class[0].precision == 1
    assert metric.figures()["recall"] == 1


def test_the_best_score_is_where_f1_is_highest_over_all_classes() -> None:
    """F1 is 2/4, 4/5, and 4/7 with the two wrong ones."""
    metric = AveragePrecision(("a", "b"))
    metric.update(
        found(boxes(HERE, THERE, FAR, FAR), [0, 1, 0, 1], [0.4, 0.3, 0.1, 0.1]),
        truth(boxes(HERE, THERE, (80, 80, 90, 90)), [0, 1, 1]),
    )

    assert metric.best_score() == pytest.approx(0.2)


def test_equal_scores_are_not_parted_by_the_best_one() -> None:
    metric = AveragePrecision(("a",))
    metric.update(
        found(boxes(HERE, FAR, THERE), [0] * 3, [0.6, 0.6, 0.6]), truth(boxes(HERE, THERE), [0, 0])
    )

    assert metric.best_score() == pytest.approx(0.3)


def test_without_anything_right_one_half_is_as_good_as_any() -> None:
    metric = AveragePrecision(("a",))
    metric.update(found(boxes(FAR), [0], [0.9]), truth(boxes(HERE), [0]))

    assert metric.best_score() == SHOWN


def test_a_crowd_is_no_false_alarm_no_object_and_nothing_found_twice() -> None:
    metric = AveragePrecision(("a",))
    metric.update(
        found(boxes(HERE, (1, 1, 5, 5), THERE), [0] * 3, [0.9, 0.8, 0.7]),
        truth(boxes(HERE, THERE), [0, 0], crowds=(0,)),
    )

    figures = metric.figures()

    assert figures["ap"] == figures["precision"] == figures["recall"] == 1
    assert figures["detections_per_object"] == 1


def test_small_and_large_are_told_by_the_areas_that_are_given() -> None:
    metric = AveragePrecision(("a",))
    given = truth(boxes(HERE), [0])
    large = Truth(
        regions=given.regions,
        labels=given.labels,
        is_crowd=given.is_crowd,
        areas=np.array([20_000.0]),
    )
    metric.update(found(boxes(HERE), [0], [0.9]), large)

    figures = metric.figures()

    assert figures["ap_large"] == 1
    assert "ap_small" not in figures


def test_no_more_than_a_hundred_of_a_class_are_looked_at() -> None:
    metric = AveragePrecision(("a",))
    wrong = [THERE] * 100
    scores = [0.9] * 100 + [0.8]
    metric.update(found(boxes(*wrong, HERE), [0] * 101, scores), truth(boxes(HERE), [0]))

    assert metric.figures()["ar_100"] == 0


def test_pictures_without_any_object_cannot_be_measured() -> None:
    metric = AveragePrecision(("a",))
    metric.update(found(boxes(HERE), [0], [0.9]), truth(boxes(HERE), [0], crowds=(0,)))

    with pytest.raises(DataError, match="none of 1 pictures has an object"):
        metric.figures()


def naive_ap50(pictures: list[tuple[Found, Truth]], label: int) -> float:
    """No crowds, no sizes: one class, one threshold, one loop."""
    hits: list[tuple[float, bool]] = []
    num_objects = 0
    for of, true in pictures:
        objects = [tuple(box) for box in true.regions[true.labels == label].tolist()]
        num_objects += len(objects)
        own = sorted(np.flatnonzero(of.labels == label).tolist(), key=lambda i: -of.scores[i])
        for i in own:
            left, top, right, bottom = of.regions[i]
            best, best_overlap = None, 0.5
            for box in objects:
                both = max(0, min(right, box[2]) - max(left, box[0])) * max(
                    0, min(bottom, box[3]) - max(top, box[1])
                )
                whole = (right - left) * (bottom - top) + (box[2] - box[0]) * (box[3] - box[1])
                if both / (whole - both) >= best_overlap:
                    best, best_overlap = box, both / (whole - both)
            if best is not None:
                objects.remove(best)
            hits.append((float(of.scores[i]), best is not None))
    hits.sort(key=lambda hit: -hit[0])
    total = 0.0
    for wanted in np.linspace(0, 1, 101):
        prefixes = [
            (sum(is_right for _, is_right in hits[:n]) / num_objects, n)
            for n in range(1, len(hits) + 1)
        ]
        reached = [recall * num_objects / n for recall, n in prefixes if recall >= wanted]
        total += max(reached, default=0.0)
    return total / 101


def random_pictures(rng: np.random.Generator, count: int) -> list[tuple[Found, Truth]]:
    pictures = []
    for _ in range(count):
        num = rng.integers(0, 5)
        low = rng.uniform(0, 60, (num, 2))
        true = np.concatenate([low, low + rng.uniform(5, 30, (num, 2))], axis=1)
        labels = rng.integers(0, 2, num)
        near = true + rng.normal(0, 3, true.shape)
        more = rng.uniform(0, 40, (3, 2))
        regions = np.concatenate([near, np.concatenate([more, more + 20], axis=1)])
        of = found(
            regions,
            [*labels.tolist(), *rng.integers(0, 2, 3).tolist()],
            rng.random(num + 3).tolist(),
        )
        pictures.append((of, truth(true, labels.tolist())))
    return pictures


@pytest.mark.parametrize("seed", range(6))
def test_ap50_is_the_naive_loop(seed: int) -> None:
    pictures = random_pictures(np.random.default_rng(seed), 7)
    metric = AveragePrecision(("a", "b"))
    for of, true in pictures:
        metric.update(of, true)

    expected = [naive_ap50(pictures, label) for label in (0, 1)]

    rows = metric.result().per_class
    assert [row.ap50 for row in rows] == pytest.approx(expected)
    assert metric.figures()["ap50"] == pytest.approx(np.mean(expected))


def test_the_interval_holds_the_figure_and_shrinks_with_more_pictures() -> None:
    widths = []
    for count in (10, 60):
        metric = AveragePrecision(("a", "b"))
        for of, true in random_pictures(np.random.default_rng(0), count):
            metric.update(of, true)
        result = metric.result()
        estimate = result.metrics["ap50"]
        assert estimate.low < estimate.value < estimate.high
        assert metric.result().metrics["ap50"] == estimate
        widths.append(estimate.high - estimate.low)
    assert widths[1] < 0.7 * widths[0]


def test_the_table_of_precisions_falls_from_the_first_recall_to_the_last() -> None:
    metric = AveragePrecision(("a", "b"))
    for of, true in random_pictures(np.random.default_rng(0), 20):
        metric.update(of, true)

    rows = metric.result().precision_recall

    assert [row.recall for row in rows] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    precisions = [row.precision for row in rows]
    assert precisions == sorted(precisions, reverse=True)
    assert precisions[0] > 0.2
