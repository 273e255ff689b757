"""A judgement counts what was found, missed and imagined, in the pictures' own pixels."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import saccade
from saccade.data.annotated import open_boxes
from saccade.data.annotations import Boxes
from saccade.jobs.detect.judge import (
    DetectJudgement,
    _judge_picture,
    is_in_crowd,
    judge,
    pair,
    shown,
)
from saccade.metrics.average_precision import AveragePrecision, Found, Truth
from saccade.serving.detect import Detector, FoundObjects
from tests import boxed

CAT, DOG = 0, 1


def found(*objects: tuple[list[float], int, float]) -> FoundObjects:
    return FoundObjects(
        height=100,
        width=100,
        boxes_xyxy=np.array([box for box, _, _ in objects], dtype=np.float64).reshape(-1, 4),
        labels=np.array([label for _, label, _ in objects], dtype=np.int64),
        scores=np.array([score for _, _, score in objects], dtype=np.float32),
    )


def known(*objects: tuple[list[float], int], crowds: tuple[int, ...] = ()) -> Boxes:
    return Boxes(
        boxes_xyxy=np.array([box for box, _ in objects], dtype=np.float32).reshape(-1, 4),
        labels=np.array([label for _, label in objects], dtype=np.int64),
        is_crowd=np.isin(np.arange(len(objects)), crowds),
    )


HERE, THERE = [0.0, 0, 10, 10], [50.0, 50, 70, 70]


def test_a_detection_finds_an_object_of_its_class_under_it_once() -> None:
    pairs = pair(
        found((HERE, CAT, 0.9), (HERE, CAT, 0.8), (THERE, CAT, 0.7), ([0, 0, 10, 4], CAT, 0.6)),
        known((THERE, DOG), (HERE, CAT)),
    )

    assert pairs == [1, None, None, None]


def test_nothing_pairs_with_nothing_or_with_a_crowd() -> None:
    assert pair(found(), known((HERE, CAT))) == []
    assert pair(found((HERE, CAT, 0.9)), known()) == [None]
    assert pair(found((HERE, CAT, 0.9)), known((HERE, CAT), crowds=(0,))) == [None]


def test_what_lies_in_a_crowd_of_its_class_is_neither_found_nor_false() -> None:
    there = known(([0.0, 0, 40, 40], CAT), (THERE, CAT), crowds=(0,))
    said = found(
        (HERE, CAT, 0.9), (HERE, DOG, 0.8), ([30.0, 30, 50, 50], CAT, 0.7), (THERE, CAT, 0.6)
    )

    judged = _judge_picture(0, "a.png", said, there)

    assert is_in_crowd(said, there).tolist() == [True, False, False, False]
    assert (judged.num_objects, judged.num_found, judged.num_false) == (1, 1, 2)
    assert judged.surest_false == pytest.approx(0.8)


def test_only_what_scores_enough_is_shown() -> None:
    both = found((HERE, CAT, 0.9), (THERE, DOG, 0.5))

    assert shown(both, 0.5).labels.tolist() == [CAT, DOG]
    assert shown(both, 0.51).labels.tolist() == [CAT]


def test_pictures_are_counted_from_the_score_of_the_engine_on(detector: Detector) -> None:
    """Below every score all proposals are counted, above every score none."""
    samples = open_boxes(boxed.world().source).splits["all"].take(np.arange(4))
    numbers = []
    for smallest in (0.0, 1.01):
        engine = replace(detector.engine, smallest_score=smallest)
        judged = judge(Detector(engine), engine.loader(samples))
        numbers.append([each.num_found + each.num_false for each in judged.pictures])
        assert judged.smallest_score == smallest
        assert f"{smallest:.3f}" in judged.to_json()["tables"][0]["text"]

    assert min(numbers[0]) > 10
    assert numbers[1] == [0, 0, 0, 0]


@pytest.fixture(scope="module")
def detector() -> Detector:
    made = saccade.load(boxed.world().run, device="cpu")
    assert isinstance(made, Detector)
    return made


@pytest.fixture(scope="module")
def judgement(detector: Detector) -> DetectJudgement:
    samples = open_boxes(boxed.world().source).splits["all"]
    return judge(detector, detector.engine.loader(samples.take(np.arange(12)[::-1].copy())))


def test_the_figures_are_those_of_the_answers_to_each_picture(
    detector: Detector, judgement: DetectJudgement
) -> None:
    samples = open_boxes(boxed.world().source).splits["all"]
    assert samples.annotations is not None
    smallest = detector.engine.smallest_score
    metric = AveragePrecision(boxed.CLASSES, smallest_score=smallest)
    for i in range(11, -1, -1):
        path = boxed.world().source / samples.pictures.name(i)
        (objects,) = detector.predict(path, min_score=0.0)
        true = samples.annotations.load(i)
        assert isinstance(true, Boxes)
        metric.update(
            Found(
                regions=objects.boxes_xyxy,
                labels=np.array([boxed.CLASSES.index(name) for name in objects.labels], np.int64),
                scores=objects.scores.astype(np.float64),
            ),
            Truth(regions=true.boxes_xyxy, labels=true.labels, is_crowd=true.is_crowd),
        )

    assert {name: figure.value for name, figure in judgement.metrics.items()} == pytest.approx(
        metric.figures(), abs=1e-6
    )
    assert judgement.n == 12
    assert judgement.headline == "ap50"
    assert judgement.metrics["ap50"].value > 0.6


def test_small_and_large_are_told_apart_by_the_area_of_the_annotation(
    detector: Detector, tmp_path: Path
) -> None:
    source = boxed.write_coco(tmp_path / "squares", count=6)
    path = source / "annotations" / "instances.json"
    known = json.loads(path.read_text())
    for each in known["annotations"]:
        each["area"] = 5000.0  # the boxes have 144
    path.write_text(json.dumps(known))

    judged = judge(detector, detector.engine.loader(open_boxes(source).splits["all"]))

    assert "ar_medium" in judged.metrics
    assert "ar_small" not in judged.metrics


def test_each_picture_is_counted_under_its_own_name(judgement: DetectJudgement) -> None:
    samples = open_boxes(boxed.world().source).splits["all"]
    assert samples.annotations is not None

    assert [each.id for each in judgement.pictures] == list(range(11, -1, -1))
    for each in judgement.pictures:
        true = samples.annotations.load(each.id)
        assert isinstance(true, Boxes)
        assert each.path == samples.pictures.name(each.id)
        assert each.num_objects == len(true.labels)
        assert each.num_found + each.num_missed == each.num_objects
        assert (each.surest_false >= judgement.smallest_score) == (each.num_false > 0)
    assert sum(each.num_found for each in judgement.pictures) > 5


def test_the_record_is_plain_json_with_a_table_of_classes(judgement: DetectJudgement) -> None:
    record = json.loads(json.dumps(judgement.to_json(), allow_nan=False))

    assert record["n"] == 12
    assert record["headline"]["metric"] == "ap50"
    assert record["metrics"]["ap50"]["low"] <= record["metrics"]["ap50"]["value"]
    classes, precisions = record["tables"]
    assert [row[0] for row in classes["rows"]] == list(boxed.CLASSES)
    assert all(len(row) == len(classes["columns"]) for row in classes["rows"])
    assert len(precisions["rows"]) == 11


def test_the_table_has_a_row_for_each_picture(judgement: DetectJudgement, tmp_path: Path) -> None:
    judgement.write_table(tmp_path / "test.parquet")

    rows = pq.read_table(tmp_path / "test.parquet").to_pylist()

    assert [row["path"] for row in rows] == [each.path for each in judgement.pictures]
    assert rows[0]["num_missed"] == judgement.pictures[0].num_missed
