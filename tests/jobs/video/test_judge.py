"""Clips are judged as they are, frame by frame and out of order, and that is put into words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import saccade
from saccade.data.batch import Batch
from saccade.data.clips.sources import open_clips
from saccade.data.loader import Loader
from saccade.jobs.job import Judgement
from saccade.jobs.video.judge import VideoJudgement, judge, out_of_order
from saccade.serving.video import VideoModel
from tests import moving


@pytest.fixture(scope="module")
def model() -> VideoModel:
    found = saccade.load(moving.world().run, device="cpu")
    assert isinstance(found, VideoModel)
    return found


@pytest.fixture(scope="module")
def loader(model: VideoModel) -> Loader:
    samples = open_clips(moving.world().source).splits["all"]
    return model.engine.loader(samples.take(np.arange(0, 64, 3)))


@pytest.fixture(scope="module")
def judged(model: VideoModel, loader: Loader) -> VideoJudgement:
    return judge(model, loader)


def test_a_judgement_is_one(judged: VideoJudgement):
    assert isinstance(judged, Judgement)
    assert judged.headline in judged.metrics


def test_answers_stand_beside_their_clips(judged: VideoJudgement, loader: Loader):
    assert judged.n == 22
    assert judged.names == loader.samples.names()
    assert loader.samples.labels is not None
    assert judged.labels.tolist() == loader.samples.labels.tolist()
    assert judged.metrics["top1"].value == np.mean(judged.labels == judged.predicted) == 1.0


def test_the_two_that_cannot_know_the_order_are_near_chance(judged: VideoJudgement):
    assert judged.metrics["frame_average_top1"].value < 0.85
    assert judged.metrics["shuffled_top1"].value < 0.9


def test_out_of_order_is_the_same_frames_in_another_order_each_time_alike(loader: Loader):
    batch = next(loader.batches())
    mixed = out_of_order(batch)
    assert not torch.equal(mixed, batch.images)
    assert torch.equal(mixed, out_of_order(batch))
    for clip, other in zip(batch.images.flatten(2), mixed.flatten(2), strict=True):
        assert sorted(map(tuple, clip.flatten(1).tolist())) == sorted(
            map(tuple, other.flatten(1).tolist())
        )
    one = Batch(images=batch.images[2:3], targets=None, ids=batch.ids[2:3])
    assert torch.equal(out_of_order(one)[0], mixed[2])


def test_the_report_says_whether_motion_was_used(judged: VideoJudgement):
    written = judged.to_json()
    (note,) = written["notes"]
    assert note.startswith("With the frames of each clip in another order the model is right in ")
    assert note.endswith("from how things move.")
    classes, _ = written["tables"]
    assert classes["columns"][-1] == "recall of single frames"
    assert [row[0] for row in classes["rows"]] == ["left", "right"]
    assert set(judged.metrics) == set(written["metrics"])


def test_the_table_has_a_row_for_each_clip(judged: VideoJudgement, tmp_path: Path):
    judged.write_table(tmp_path / "table.parquet")
    table = pq.read_table(tmp_path / "table.parquet")
    assert table["path"].to_pylist() == judged.names
    assert set(table["predicted"].to_pylist()) == {"left", "right"}


def test_the_surest_mistakes_come_first(judged: VideoJudgement):
    assert judged.worst(5) == []
    wrong = replace(judged, predicted=1 - judged.labels)  # every answer is wrong
    worst = wrong.worst(3)
    assert wrong.probability[worst].tolist() == sorted(wrong.probability, reverse=True)[:3]
