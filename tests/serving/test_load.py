"""A run, or weights of another library, is loaded whole, with what it promises, or not at all."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import saccade
from saccade.data.clips.sources import open_clip_inputs
from saccade.data.preprocess import fit_picture
from saccade.errors import UsageError
from saccade.serving.load import load
from saccade.serving.video import VideoModel
from saccade.weights.write import write
from tests import moving, tiny
from tests.tiny import World
from tests.weights.hf.models import PREPROCESS as VIDEO_PREPROCESS
from tests.weights.hf.models import VIDEO_CLASSIFIER, drawn


def test_best_and_last_weights_can_both_be_loaded(world: World):
    best = load(world.run, device="cpu", weights="best")
    last = saccade.load(world.run, device="cpu", weights="last")
    assert best.class_names == last.class_names == tiny.CLASSES
    with pytest.raises(UsageError, match="weights is 'newest'; it must be 'best' or 'last'"):
        load(world.run, weights="newest")


def test_a_run_without_weights_says_what_is_missing(world: World, tmp_path: Path):
    shutil.copytree(world.run, tmp_path / "run")
    (tmp_path / "run" / "weights.safetensors").unlink()
    with pytest.raises(UsageError, match="there are no weights"):
        load(tmp_path / "run")
    (tmp_path / "run" / "config.json").unlink()
    with pytest.raises(UsageError, match=r"config\.json is missing"):
        load(tmp_path / "run")
    with pytest.raises(UsageError, match="nothing does not exist"):
        load(tmp_path / "nothing")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    return tiny.foreign_weights(tmp_path / "vit")


def test_weights_of_others_answer_with_their_own_classes_and_preprocessing(
    foreign: Path, world: World
):
    path = world.source / "leaf" / "003.png"
    model = load(foreign, device="cpu")
    assert model.class_names == tiny.CLASSES
    assert (model.preprocess, model.engine.precision) == (tiny.foreign_preprocess(), "fp32")
    pixels = np.asarray(Image.open(path)).transpose(2, 0, 1).copy()
    logits = tiny.foreign_task()(torch.from_numpy(pixels)[None]).logits
    (found,) = model.predict(path)
    assert found.probs is not None
    np.testing.assert_allclose(found.probs, logits.detach().softmax(1)[0], rtol=1e-6)
    (explained,) = model.explain(path)
    assert set(explained.heats) == {"legrad", "rollout"}
    with pytest.raises(UsageError, match="not a run folder, so it has no other weights"):
        load(foreign, weights="last")


def test_weights_without_a_head_name_no_class_but_embed(tmp_path: Path, world: World):
    model = load(tiny.foreign_weights(tmp_path / "headless", ()), device="cpu")
    path = world.source / "leaf" / "003.png"
    assert model.class_names == ()
    with pytest.raises(UsageError, match=r"have no head.*saccade train SOURCE --init"):
        model.predict(path)
    with pytest.raises(UsageError, match="have no head"):
        next(model.explain(path))
    assert model.embed(path).vectors.shape == (1, 32)


def test_what_a_file_did_not_settle_is_told(foreign: Path):
    assert load(foreign, device="cpu").notes == ()
    (foreign / "preprocessor_config.json").unlink()
    (note,) = load(foreign, device="cpu").notes
    assert "preprocessor_config.json" in note


@pytest.fixture
def videomae(tmp_path: Path) -> Path:
    """A VideoMAE with three classes, as transformers would save it."""
    tensors = drawn(VIDEO_CLASSIFIER, num_classes=3)
    folder = tmp_path / "videomae"
    write(
        tensors,
        VIDEO_CLASSIFIER,
        tiny.CLASSES,
        VIDEO_PREPROCESS,
        library="transformers",
        folder=folder,
    )
    return folder


def test_weights_that_read_clips_answer_for_clips(videomae: Path, tmp_path: Path):
    clips = moving.write_clips(tmp_path / "clips", count=2)
    model = load(videomae, device="cpu")
    assert isinstance(model, VideoModel)
    assert model.preprocess.num_frames == 4
    found = model.predict(clips)
    assert [each.label in tiny.CLASSES for each in found] == [True] * 4

    frames = [np.asarray(Image.open(path)) for path in sorted((clips / "left/00").iterdir())]
    clip = np.stack([fit_picture(frame, model.preprocess) for frame in frames])
    scaled = model.task.scale(torch.from_numpy(clip)[None])
    with torch.no_grad():
        logits = model.task.head(model.task.backbone(scaled)).logits
    assert found[0].probs is not None
    np.testing.assert_allclose(found[0].probs, logits.softmax(dim=1)[0], rtol=1e-4, atol=1e-6)


def test_weights_that_read_clips_become_a_run_and_the_start_of_one(videomae: Path, tmp_path: Path):
    clips = moving.write_clips(tmp_path / "clips", count=4)
    saccade.convert(videomae, tmp_path / "converted")
    again, first = load(tmp_path / "converted", device="cpu"), load(videomae, device="cpu")
    assert isinstance(again, VideoModel)
    assert isinstance(first, VideoModel)
    for one, other in zip(again.predict(clips), first.predict(clips), strict=True):
        np.testing.assert_array_equal(one.probs, other.probs)
    assert first.frame_probs(next(first.engine.loader(open_clip_inputs([clips])).batches())) is None

    result = saccade.train(
        clips,
        tmp_path / "tuned",
        job="video",
        init=videomae,
        new_head=True,
        steps=1,
        settings={"precision": "fp32"},
        device="cpu",
        is_quiet=True,
    )
    config = json.loads((tmp_path / "tuned" / "config.json").read_text())
    assert result.job == "video"
    assert (config["task"]["num_frames"], config["model"]["tubelet_size"]) == (4, 2)


def test_a_run_is_not_asked_for_another_job(world: World):
    assert load(world.run, job="classify", device="cpu").class_names == tiny.CLASSES
    with pytest.raises(UsageError, match="was trained to classify, and is asked to detect"):
        load(world.run, job="detect", device="cpu")
