"""Classification through the methods that every job has gives what its own functions give."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.canvas.writing import Amounts, write_class_maps
from saccade.errors import DataError
from saccade.jobs.classify.job import NUM_TOP, ClassifyJob
from saccade.jobs.find import open_for
from saccade.serving.engine import Engine
from saccade.serving.load import load_engine
from saccade.serving.model import Model
from tests import tiny
from tests.tiny import World

JOB = ClassifyJob()


@pytest.fixture
def engine(world: World) -> Engine:
    return load_engine(world.run, device="cpu")


def test_a_source_needs_labels(tmp_path: Path):
    for number in range(2):
        Image.new("L", (8, 8), number).save(tmp_path / f"{number}.png")
    with pytest.raises(DataError, match="without labels"):
        JOB.open(tmp_path)


def test_rows_are_the_models_predictions(engine: Engine, world: World):
    samples = JOB.inputs([world.source])
    rows = list(JOB.rows(engine, samples, drawn=None))
    found = Model(engine).predict(world.source)
    assert [row["path"] for row in rows] == [each.path for each in found]
    assert [row["label"] for row in rows] == [each.label for each in found]
    for row in rows:
        assert list(row) == JOB.schema.names
        assert row["top_labels"][0] == row["label"]
        assert len(row["top_labels"]) == min(NUM_TOP, 3)
        assert row["top_probabilities"] == sorted(row["top_probabilities"], reverse=True)


def test_drawings_are_made_of_what_can_be_read(engine: Engine, world: World, tmp_path: Path):
    pictures = tiny.draw_folder(tmp_path / "new", count=1)
    (pictures / "leaf" / "broken.png").write_bytes(b"nothing")
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    rows = list(JOB.rows(engine, JOB.inputs([pictures]), drawn=drawn))
    assert [row["error"] is None for row in rows] == [True, True, False, True]
    assert len(list(drawn.iterdir())) == 3


def test_a_judgement_says_how_often_it_was_right(engine: Engine, world: World):
    samples = JOB.open(world.source).splits["all"]
    judged = JOB.judge(engine, engine.loader(samples))
    assert judged.n == len(samples)
    right = np.mean(judged.labels == judged.predicted)
    assert judged.metrics[judged.headline].value == pytest.approx(right)


def test_masks_are_no_class(tmp_path: Path) -> None:
    write_class_maps(tmp_path, Amounts(train=6, val=2, test=2), seed=0)

    with pytest.raises(DataError, match=r"masks, and no folder for each class.*job segment"):
        open_for(JOB, tmp_path)
