"""Results keep the counts of the evaluation, put the weakest first, and judge the calibration."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saccade.reporting.records import read_records
from saccade.reporting.results import Results, results


def results_of(run: Path, **fields: object) -> Results:
    path = run / "evaluation" / "test.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    found = results(read_records(run))
    assert found is not None
    return found


def test_the_matrix_holds_the_counts(make_run: Callable[..., Path]):
    confusion = [[8, 2, 0], [0, 10, 0], [1, 0, 3]]
    found = results_of(make_run(), confusion=confusion)
    assert [[cell.count for cell in cells] for _, cells in found.matrix] == confusion
    assert found.num_wrong == 3
    hint = found.matrix[0][1][1].hint.replace("\u202f", " ")
    assert hint == "2 of 10 pictures of “cat” taken for “dog” (20.0 %)"


def test_a_larger_share_has_a_stronger_colour(make_run: Callable[..., Path]):
    found = results_of(make_run(), confusion=[[50, 0, 50], [1, 98, 1], [0, 0, 9]])
    alphas = [float(cell.colour.split()[-1][:-1]) for cell in found.matrix[1][1]]
    assert alphas[1] > alphas[0] == alphas[2] > 0
    assert found.matrix[1][1][1].is_strong


def test_confusions_are_listed_most_frequent_first(make_run: Callable[..., Path]):
    found = results_of(make_run(), confusion=[[8, 2, 0], [0, 10, 0], [5, 0, 3]])
    assert [(c.label, c.predicted, c.count, c.total) for c in found.confusions] == [
        ("owl", "cat", 5, 8),
        ("cat", "dog", 2, 10),
    ]


def test_the_weakest_class_is_first_and_undefined_figures_are_dashes(
    make_run: Callable[..., Path],
):
    rows = [
        {"name": "cat", "n": 5, "precision": 1.0, "recall": 0.8, "f1": 0.9},
        {"name": "dog", "n": 5, "precision": 0.5, "recall": 0.5, "f1": 0.5},
        {"name": "owl", "n": 0, "precision": None, "recall": None, "f1": None},
    ]
    found = results_of(make_run(), per_class=rows)
    assert [row.name for row in found.classes] == ["dog", "cat", "owl"]
    assert found.classes[0].f1 == ("0.500", 50.0)
    assert found.classes[2].recall == ("–", 0.0)  # noqa: RUF001


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.95, "over-confident"), (0.6, "under-confident"), (0.81, "about as sure as it should be")],
)
def test_calibration_in_words(make_run: Callable[..., Path], confidence: float, words: str):
    bins = [
        {"low": 0.0, "high": 0.5, "count": 0, "confidence": None, "accuracy": None},
        {"low": 0.5, "high": 1.0, "count": 400, "confidence": confidence, "accuracy": 0.8},
    ]
    top1 = {"value": 0.8, "low": 0.76, "high": 0.84}
    found = results_of(make_run(), reliability=bins, metrics={"top1": top1})
    assert words in found.calibration


def test_many_classes_are_a_picture_one_pixel_a_cell(make_run: Callable[..., Path]):
    names = [f"kind {k}" for k in range(30)]
    found = results_of(make_run(names), confusion=np.eye(30, dtype=int).tolist())
    assert found.matrix == []
    assert found.heat_map is not None
    assert (found.heat_map.width, found.heat_map.height) == (30, 30)
    assert found.confusions == []


def test_no_evaluation_no_results(make_run: Callable[..., Path]):
    assert results(read_records(make_run(without=("evaluation",)))) is None
