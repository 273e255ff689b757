"""A model of clips answers from Python for what holds clips, and shows when it looked."""

from pathlib import Path

import numpy as np
import pytest
import torch

import saccade
from saccade.data.clips.sources import open_clip_inputs
from saccade.errors import UsageError
from saccade.serving.video import VideoModel
from tests import moving


@pytest.fixture(scope="module")
def model() -> VideoModel:
    found = saccade.load(moving.world().run, device="cpu")
    assert isinstance(found, VideoModel)
    return found


def test_a_folder_stands_for_its_clips(model: VideoModel):
    found = model.predict(moving.world().source / "left")
    assert len(found) == 32
    assert {each.label for each in found} == {"left"}
    assert model.class_names == ("left", "right")


def test_the_model_of_frames_gives_probabilities_of_its_own(model: VideoModel):
    samples = open_clip_inputs([moving.world().source])
    batch = next(model.engine.loader(samples).batches())
    probs = model.frame_probs(batch)
    assert probs is not None
    np.testing.assert_allclose(probs.sum(axis=1), 1.0, rtol=1e-5)
    assert not np.allclose(probs, model.probs(batch))
    with torch.inference_mode():
        expected = model.task.frame_logits(batch.images).softmax(dim=1)
    np.testing.assert_allclose(probs, expected.numpy(), rtol=1e-5)


def test_explanations_show_the_frames_that_were_seen_and_heat_in_time(model: VideoModel):
    clip = moving.world().source / "right" / "00"
    (found,) = model.explain(clip, methods=("legrad",))
    assert found.path == str(clip)
    assert found.asked == "right"
    assert found.image.shape == (4, 3, 16, 16)
    assert found.heats["legrad"].shape == (2, 4, 4)


def test_a_class_that_is_not_known_is_refused_before_anything_is_read(
    model: VideoModel, tmp_path: Path
):
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="knows no class 'up'"):
        list(model.explain(tmp_path / "bad.mp4", label="up"))
    with pytest.raises(UsageError, match="does not exist"):
        model.predict(tmp_path / "gone.mp4")
