"""One class per input, in the order of the inputs, whether they are pictures or clips."""

from pathlib import Path

import numpy as np
import pytest

import saccade
from saccade.data.clips.sources import open_clip_inputs
from saccade.data.sources import open_pictures
from saccade.errors import UsageError
from saccade.serving.classes import class_probs, explain_classes, stream_classes
from saccade.serving.model import Model
from saccade.serving.video import VideoModel
from tests import moving, tiny


@pytest.fixture(scope="module")
def pictures() -> Model:
    found = saccade.load(tiny.world().run, device="cpu")
    assert isinstance(found, Model)
    return found


@pytest.fixture(scope="module")
def clips() -> VideoModel:
    found = saccade.load(moving.world().run, device="cpu")
    assert isinstance(found, VideoModel)
    return found


def test_inputs_that_cannot_be_read_keep_their_place(
    pictures: Model, clips: VideoModel, tmp_path: Path
):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    some = sorted(tiny.world().source.rglob("*.png"))[:3]
    found = list(stream_classes(pictures.engine, open_pictures([some[0], bad, *some[1:], bad])))
    assert [each.error is None for each in found] == [True, False, True, True, False]
    assert [Path(each.path) for each in found] == [some[0], bad, *some[1:], bad]

    folders = sorted(moving.world().source.glob("*/*"))[:2]
    found = list(stream_classes(clips.engine, open_clip_inputs([bad, *folders, bad])))
    assert [each.error is None for each in found] == [False, True, True, False]


def test_a_prediction_is_the_most_likely_class(pictures: Model):
    samples = open_pictures([tiny.world().source])
    batch = next(pictures.engine.loader(samples).batches())
    probs = class_probs(pictures.engine, batch)
    found = list(stream_classes(pictures.engine, samples))[: len(probs)]
    for row, prediction in zip(probs, found, strict=True):
        assert prediction.probs is not None
        np.testing.assert_allclose(prediction.probs, row, rtol=1e-4, atol=1e-5)
        assert prediction.label == pictures.class_names[int(row.argmax())]
        assert prediction.probability == pytest.approx(float(row.max()), rel=1e-4)


def test_the_class_explained_is_the_one_asked_for_or_the_one_predicted(pictures: Model):
    samples = open_pictures([tiny.world().source])
    batch = next(pictures.engine.loader(samples).batches())
    names = [str(i) for i in batch.ids.tolist()]
    best = class_probs(pictures.engine, batch).argmax(axis=1)
    own = list(explain_classes(pictures.engine, batch, names, methods=("rollout",), label=None))
    assert [each.asked for each in own] == [pictures.class_names[k] for k in best]
    sky = explain_classes(pictures.engine, batch, names, methods=("rollout",), label="sky")
    assert {each.asked for each in sky} == {"sky"}
    with pytest.raises(UsageError, match="knows no class 'skye'"):
        list(explain_classes(pictures.engine, batch, names, methods=(), label="skye"))
