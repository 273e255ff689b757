"""Masks are judged in the pictures' own pixels, and the result is all that a report needs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from saccade.data.annotations import IGNORED_CLASS, ClassMap, Segments
from saccade.jobs.job import Judgement
from saccade.jobs.segment.judge import MapJudgement, MaskJudgement, judge, true_classes
from saccade.serving.segment import Segmenter
from saccade.tasks.segment.classes import Segment
from tests.jobs.segment.worlds import SIZES, engine, loader, write_masks


@pytest.fixture(params=[False, True], ids=["classes", "objects"])
def judged(request: pytest.FixtureRequest, tmp_path: Path) -> MapJudgement | MaskJudgement:
    folder = write_masks(tmp_path / "source", numbers_objects=request.param)
    made = engine(numbers_objects=request.param)
    return judge(made, loader(folder, made))


def test_a_judgement_is_one(judged: MapJudgement | MaskJudgement) -> None:
    assert isinstance(judged, Judgement)
    assert judged.n == len(SIZES)
    assert judged.headline in judged.metrics
    assert len(judged.ids) == len(judged.names) == judged.n


def test_its_record_is_plain_data_with_tables_of_even_rows(
    judged: MapJudgement | MaskJudgement,
) -> None:
    record = json.loads(json.dumps(judged.to_json()))

    assert record["headline"]["metric"] == judged.headline
    for table in record["tables"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_its_table_has_a_row_for_each_picture(
    judged: MapJudgement | MaskJudgement, tmp_path: Path
) -> None:
    judged.write_table(tmp_path / "table.parquet")

    table = pq.read_table(tmp_path / "table.parquet")
    assert table["path"].to_pylist() == judged.names


def test_the_worst_come_first(judged: MapJudgement | MaskJudgement) -> None:
    worst = judged.worst(3)

    assert len(set(worst)) == 3
    if isinstance(judged, MapJudgement):
        assert [judged.dice[k] for k in worst] == sorted(judged.dice)[:3]


def test_classes_are_compared_at_the_size_of_the_picture(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=False)
    made = engine(numbers_objects=False)
    pictures = loader(folder, made)

    found = judge(made, pictures)

    assert isinstance(found, MapJudgement)
    answers = Segmenter(made).predict(sorted((folder / "images").iterdir()))
    right = total = 0
    for number, answer in enumerate(answers):
        assert pictures.samples.annotations is not None
        truth = pictures.samples.annotations.load(number)
        assert isinstance(truth, ClassMap)
        assert answer.map is not None
        right += (answer.map == truth.classes).sum()
        total += truth.classes.size
    assert total == sum(height * width for height, width in SIZES)
    assert found.metrics["pixel_accuracy"].value == pytest.approx(right / total)
    assert found.confusion.sum() == total


def test_objects_are_counted_at_the_size_of_the_picture(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=True)
    made = engine(numbers_objects=True)

    found = judge(made, loader(folder, made))

    assert isinstance(found, MaskJudgement)
    assert found.num_true == [1] * len(SIZES)
    assert all(
        right <= min(true, said)
        for true, said, right in zip(found.num_true, found.num_found, found.num_right, strict=True)
    )
    assert {"ap50", "pq", "sq", "rq"} <= set(found.metrics)


def test_true_classes_of_objects_have_the_background_first() -> None:
    made = engine(numbers_objects=False).task
    assert isinstance(made, Segment)
    classes = np.array([[0, 3]], np.uint8)
    assert true_classes(ClassMap(classes=classes), made) is classes

    made.pixel_names = ("background", *made.class_names)
    segments = Segments(segments=np.array([[0, 1, -1, 2]], np.int32), labels=np.array([2, 0]))
    assert true_classes(segments, made).tolist() == [[0, 3, 255, 1]]


def test_pixels_that_a_model_was_not_shown_are_wrong_whatever_they_are(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=False)
    made = engine(numbers_objects=False)
    cut = replace(made, preprocess=replace(made.preprocess, fit="crop"))

    found = judge(cut, loader(folder, cut))

    assert isinstance(found, MapJudgement)
    answers = Segmenter(cut).predict(sorted((folder / "images").iterdir()))
    seen = sum(np.count_nonzero(answer.map != IGNORED_CLASS) for answer in answers)
    total = sum(height * width for height, width in SIZES)
    assert found.confusion.sum() == seen < total
    right = int(found.confusion.trace())
    assert found.metrics["pixel_accuracy"].value == pytest.approx(right / total)
