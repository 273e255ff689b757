"""Samples are judged beside training pictures and noise, and copies of the former are seen."""

import copy
import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from saccade.data.loader import Loader
from saccade.data.split import split
from saccade.jobs.generate.job import GenerateJob
from saccade.jobs.generate.judge import (
    GenerateJudgement,
    judge,
    memorisation,
)
from saccade.jobs.job import Judgement
from saccade.serving.engine import Engine
from saccade.serving.load import load_engine
from tests import tiny_flow


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(tiny_flow.generator().run, device="cpu")


@pytest.fixture(scope="module")
def loaders(engine: Engine) -> dict[str, Loader]:
    source = GenerateJob().open(tiny_flow.generator().source)
    parts = split(source, val_fraction=0.1, test_fraction=0.3, seed=0)
    assert parts.test is not None
    return {"train": engine.loader(parts.train), "test": engine.loader(parts.test)}


@pytest.fixture(scope="module")
def judged(engine: Engine, loaders: dict[str, Loader]) -> GenerateJudgement:
    return judge(dataclasses.replace(engine, training=loaders["train"]), loaders["test"])


def test_it_is_a_judgement_with_plain_figures(judged: GenerateJudgement) -> None:
    assert isinstance(judged, Judgement)
    assert judged.n == 9
    assert judged.headline in judged.metrics
    for name, figure in judged.metrics.items():
        assert figure.low <= figure.value <= figure.high, name
    json.dumps(judged.to_json(), allow_nan=False)


def test_floor_and_ceiling_stand_beside_the_samples(judged: GenerateJudgement) -> None:
    rows = {row[0]: row for row in judged.rows}

    assert list(rows) == ["training pictures", "samples", "Gaussian of each pixel", "noise"]
    assert rows["training pictures"][2] < rows["noise"][2]
    assert rows["noise"][3] == 1
    share = judged.metrics["frechet_share"].value
    assert share == pytest.approx(rows["samples"][2] / rows["noise"][2])


def test_every_distance_names_its_observer(judged: GenerateJudgement, engine: Engine) -> None:
    document = judged.to_json()

    assert document["observer"] == engine.task.observer.fingerprint()
    assert document["observer"] in document["tables"][0]["text"]


def test_too_few_pictures_for_a_covariance_are_said(judged: GenerateJudgement) -> None:
    assert any("1,280" in note for note in judged.notes)


def test_fewer_pictures_can_be_judged_and_how_many_is_said(
    engine: Engine, loaders: dict[str, Loader]
) -> None:
    task = copy.copy(engine.task)
    task.config = dataclasses.replace(task.config, num_real=4)
    few = dataclasses.replace(engine, task=task, training=loaders["train"])

    judged = judge(few, loaders["test"])

    assert judged.n == len(judged.names) == 4
    assert "Judged are 12 samples (task.num_judged) and 4 of 9 real pictures" in judged.notes[0]
    assert {row[0]: row[1] for row in judged.rows}["training pictures"] == 12


def test_without_the_training_pictures_the_floor_is_missing_and_that_is_said(
    engine: Engine, loaders: dict[str, Loader]
) -> None:
    judged = judge(engine, loaders["test"])

    assert judged.rows[0][0] == "samples"
    assert "nearest_ratio" not in judged.metrics
    assert any("no floor" in note for note in judged.notes)


def test_a_row_of_the_table_is_a_picture(judged: GenerateJudgement, tmp_path: Path) -> None:
    judged.write_table(tmp_path / "test.parquet")

    table = pq.read_table(tmp_path / "test.parquet").to_pydict()
    assert table["path"] == judged.names
    assert np.mean(table["flow_loss"]) == pytest.approx(judged.metrics["flow_loss"].value)


def test_copies_are_told_from_new_pictures() -> None:
    rng = np.random.default_rng(0)
    training, real, new = (rng.normal(size=(200, 8)) for _ in range(3))
    copied = training[:50] + 0.001 * rng.normal(size=(50, 8))

    fair, guilty = memorisation(new, real, training), memorisation(copied, real, training)

    assert fair["nearest_ratio"].low < 1 < fair["nearest_ratio"].high
    assert fair["copies"].value < 0.05
    assert guilty["nearest_ratio"].value < 0.01
    assert guilty["copies"].value == 1
