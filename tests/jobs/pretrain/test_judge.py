"""Vectors are judged by how they differ, with classes by their neighbours, all with intervals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from saccade.data.sources import open_source
from saccade.errors import DataError
from saccade.jobs.pretrain.job import PretrainJob
from saccade.jobs.pretrain.judge import figures, judge
from saccade.metrics.representation import effective_rank, mean_std
from saccade.serving.load import load_engine
from tests.pretrained import pretrained, source


@pytest.fixture(scope="module")
def engine():
    return load_engine(pretrained("visreg").run, device="cpu")


def judged(engine, *, labelled: bool = True):
    samples = PretrainJob().open(source()).splits["all"]
    if not labelled:
        samples = replace(samples, labels=None)
    return judge(engine, engine.loader(samples))


def test_with_classes_neighbours_are_the_headline(engine) -> None:
    found = judged(engine)

    assert found.n == 72
    assert found.headline == "knn_top1"
    assert found.labels is not None
    right = float(np.mean(found.voted == found.labels))
    assert found.metrics["knn_top1"].value == pytest.approx(right)
    document = json.loads(json.dumps(found.to_json()))
    assert document["headline"]["metric"] == "knn_top1"
    assert any("chance is about 0.333" in note for note in document["notes"])


def test_without_classes_the_rank_is(engine) -> None:
    found = judged(engine, labelled=False)

    assert found.headline == "rank_share"
    assert "knn_top1" not in found.metrics
    assert found.metrics["rank_share"].value == found.metrics["effective_rank"].value / 96


def test_figures_are_those_of_the_vectors_and_lie_in_their_intervals() -> None:
    vectors = torch.randn(200, 8)

    found = figures(vectors)

    assert found["effective_rank"].value == pytest.approx(effective_rank(vectors))
    assert found["mean_std"].value == pytest.approx(mean_std(vectors))
    for figure in found.values():
        assert figure.low <= figure.value <= figure.high
        assert figure.high - figure.low < 0.2 * figure.value
    assert found == figures(vectors)


def test_the_table_has_a_row_for_each_picture(engine, tmp_path: Path) -> None:
    found = judged(engine)
    found.write_table(tmp_path / "test.parquet")

    table = pq.read_table(tmp_path / "test.parquet").to_pydict()

    assert table["path"] == found.names
    assert set(table) == {"path", "vector", "label", "voted"}
    np.testing.assert_allclose(table["vector"], found.vectors, rtol=1e-6)


def test_neighbours_are_the_nearest_others(engine) -> None:
    found = judged(engine)

    cosines = found.vectors @ found.vectors[5]
    expected = [i for i in np.argsort(-cosines, kind="stable").tolist() if i != 5][:4]

    assert [other for other, _ in found.neighbours(5, 4)] == expected
    assert found.neighbours(5, 1)[0][1] == pytest.approx(cosines[expected[0]])
    assert len(found.neighbours(5, 500)) == 71


def test_one_picture_cannot_be_judged(engine) -> None:
    samples = open_source(source()).splits["all"].take(np.array([0]))

    with pytest.raises(DataError, match="at least two"):
        judge(engine, engine.loader(samples))
