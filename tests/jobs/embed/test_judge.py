"""A judgement of an embedder is a search among its pictures, told in figures and rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from saccade.data.loader import Loader
from saccade.data.samples import Samples
from saccade.data.sources import open_source
from saccade.errors import DataError
from saccade.jobs.embed.judge import EmbedJudgement, judge
from saccade.jobs.job import Judgement
from saccade.metrics.retrieval import retrieval
from saccade.serving.engine import Engine
from saccade.serving.features import embed
from saccade.tasks.embed import Embed
from tests import tiny


@pytest.fixture
def judged(engine: Engine[Embed], loader: Loader) -> EmbedJudgement:
    return judge(engine, loader)


def relabelled(engine: Engine[Embed], pictures: Path, labels: np.ndarray) -> Loader:
    samples: Samples = replace(open_source(pictures).splits["all"], labels=labels)
    return engine.loader(samples)


def test_the_figures_are_those_of_the_models_vectors(
    engine: Engine[Embed], loader: Loader, judged: EmbedJudgement
) -> None:
    vectors = embed(engine.task, loader, device=engine.device, precision="fp32").vectors
    labels = torch.arange(3).repeat_interleave(5)

    assert isinstance(judged, Judgement)
    assert judged.metrics == retrieval(torch.from_numpy(vectors), labels).metrics
    assert judged.headline in judged.metrics
    assert judged.n == 15
    assert judged.labels.tolist() == labels.tolist()
    assert [name.split("/")[0] for name in judged.names] == [
        tiny.CLASSES[label] for label in labels.tolist()
    ]


def test_the_table_has_a_row_per_picture_with_its_nearest(
    judged: EmbedJudgement, tmp_path: Path
) -> None:
    judged.write_table(tmp_path / "table.parquet")

    rows = pq.read_table(tmp_path / "table.parquet").to_pylist()
    assert [row["path"] for row in rows] == judged.names
    for k, row in enumerate(rows):
        nearest = int(judged.result.nearest[k, 0])
        assert row["nearest"] == judged.names[nearest]
        assert row["nearest_label"] == tiny.CLASSES[judged.labels[nearest]]
        assert (row["nearest_label"] == row["label"]) == (row["first_right"] == 0)


def test_the_worst_are_wrong_and_the_surest_come_first(
    engine: Engine[Embed], pictures: Path
) -> None:
    judged = judge(engine, relabelled(engine, pictures, np.arange(15) % 3))

    worst = judged.worst(20)

    similarities = judged.result.similarities[worst, 0]
    assert len(worst) > 3
    assert set(worst) == set(np.flatnonzero(judged.result.first_right > 0).tolist())
    assert (np.diff(similarities) <= 0).all()
    assert judged.worst(1) == worst[:1]


def test_the_classes_have_a_row_each_with_what_they_are_confused_with(
    judged: EmbedJudgement,
) -> None:
    (table,) = judged.to_json()["tables"]

    assert [row[0] for row in table["rows"]] == list(tiny.CLASSES)
    assert sum(row[1] for row in table["rows"]) == 15
    recall = sum(row[1] * row[2] for row in table["rows"]) / 15
    assert recall == pytest.approx(judged.metrics["recall_at_1"].value)
    for name, _, share, _, other in table["rows"]:
        assert (other is None) == (share == 1)
        assert other != name


def test_pictures_that_are_alone_in_their_class_are_counted_in_a_note(
    engine: Engine[Embed], pictures: Path
) -> None:
    labels = np.array([0] * 13 + [1, 2])

    found = judge(engine, relabelled(engine, pictures, labels)).to_json()

    assert found["num_alone"] == 2
    assert "2 of 15 pictures are alone" in found["notes"][0]
    assert [row[0] for row in found["tables"][0]["rows"]] == ["apple"]


def test_ties_are_told_in_a_note(engine: Engine[Embed], pictures: Path) -> None:
    content = (pictures / "apple" / "000.png").read_bytes()
    for path in sorted(pictures.rglob("*.png"))[:8]:
        path.write_bytes(content)

    found = judge(engine, engine.loader(open_source(pictures).splits["all"])).to_json()

    assert found["num_ties"] > 0
    assert "equally near" in found["notes"][-1]


def test_without_two_pictures_of_one_class_there_is_nothing_to_judge(
    engine: Engine[Embed], pictures: Path
) -> None:
    samples = open_source(pictures).splits["all"]

    with pytest.raises(DataError, match="no two of these 3 pictures"):
        judge(engine, engine.loader(samples.take(np.array([0, 5, 10]))))
    with pytest.raises(DataError, match="at least two readable pictures"):
        judge(engine, engine.loader(samples.take(np.array([0]))))
