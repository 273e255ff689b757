"""A run, or weights of another library, is loaded whole, with what it promises, or not at all."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import saccade
from saccade.backbones.sizes import model_config
from saccade.config.json import to_json
from saccade.config.model import VitConfig
from saccade.errors import UsageError
from saccade.serving.load import load
from tests import tiny
from tests.tiny import World


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


def test_weights_that_read_clips_are_refused_before_anything_runs(world: World, tmp_path: Path):
    shutil.copytree(world.run, tmp_path / "clips")
    path = tmp_path / "clips" / "config.json"
    vit = model_config("vit-pico4")
    assert isinstance(vit, VitConfig)
    clips = replace(vit, stem="patches", tubelet_size=2)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model": to_json(clips)}))

    with pytest.raises(UsageError, match=r"clips reads clips of 2 or more frames"):
        load(tmp_path / "clips")
