"""Weights decide the model and its input; the recipe takes smaller steps and says what it does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from saccade.config.model import ModelConfig
from saccade.errors import UsageError
from saccade.jobs.classify.job import ClassifyJob
from saccade.planning import plan as plan_module
from saccade.planning.budget import Candidate, wanted_epochs
from saccade.planning.classify import classify, preprocess_for
from saccade.planning.fine_tune import (
    LR_SHARE,
    fine_tune,
    fine_tuning_epochs,
    is_called,
    lines,
    preprocess_like,
    require_adaptable,
    require_same_model,
    sizes_to_try,
)
from saccade.planning.plan import Plan, Wish, plan
from saccade.run.start import Start
from tests import tiny


def made(model: ModelConfig | None = None, *, side: int = 64) -> Start:
    """Weights without tensors: a plan looks at none."""
    return Start(
        source="weights",
        library="timm",
        architecture="vit_tiny",
        model=model or tiny.foreign_config(side=side),
        class_names=tiny.CLASSES,
        preprocess=replace(tiny.foreign_preprocess(side), fit="crop", resize_side=72),
        licence="mit",
        tensors={},
        notes=(),
    )


def planned(start: Start, *, seconds: float | None = None, **wish: Any) -> Plan:
    given: dict[str, Any] = {"budget_seconds": seconds, "epochs": None, "steps": None} | wish
    if seconds is None and given["epochs"] is None:
        given["steps"] = 50
    return plan(
        Wish(model="rag", **given),
        tiny.facts(side=40),
        recipe=ClassifyJob().recipe({}),
        source="pictures",
        training_seconds=seconds,
        device=torch.device("cpu"),
        num_threads=1,
        start=start,
    )


def test_only_the_learning_rate_and_the_pictures_differ_from_the_recipe_from_scratch():
    start = made()
    scratch = classify(
        tiny.facts(),
        source="pictures",
        model=start.model,
        image_size=64,
        steps=100,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=0,
    )
    grey = replace(start, preprocess=replace(start.preprocess, channels=1, fit="squash"))
    tuned = fine_tune(scratch, grey)
    assert tuned.optim.lr == pytest.approx(LR_SHARE * scratch.optim.lr)
    assert (tuned.data.channels, tuned.data.fit) == (1, "squash")
    data = replace(tuned.data, channels=3, fit="crop")
    assert replace(tuned, optim=scratch.optim, data=data) == scratch


def test_the_plan_is_for_the_model_and_the_input_of_the_weights():
    start = made()
    found = planned(start)
    assert found.config.model == start.model
    assert found.model_name == "vit_tiny of timm"
    assert found.preprocess == start.preprocess
    assert found.config.data.image_size == 64
    assert found.config.steps == 50


def test_another_resolution_keeps_the_share_that_is_cut_off():
    start = made()
    found = planned(start, settings={"data.image_size": "32"})
    assert (found.preprocess.height, found.preprocess.width) == (32, 32)
    assert found.preprocess.resize_side == 36
    assert found.preprocess.mean == start.preprocess.mean
    assert (
        preprocess_like(start, preprocess_for(found.config, tiny.facts(side=40)))
        == found.preprocess
    )
    assert any("resampled from 16 x 16 to 8 x 8" in line for line in found.lines)
    assert any("made for 64 pixels" in line for line in found.lines)


def test_sizes_grow_to_the_weights_own_in_whole_patches():
    assert [c.image_size for c in sizes_to_try(made(), image_size=None)] == [32, 48, 64]
    odd = made(replace(tiny.foreign_config(side=64), patch_size=14))
    assert [c.image_size for c in sizes_to_try(odd, image_size=None)] == [28, 42, 64]
    pinned = list(sizes_to_try(made(), image_size=100))
    assert pinned == [Candidate("vit_tiny of timm", 100)]


@pytest.mark.parametrize(("seconds_a_step", "side"), [(1e-4, 64), (0.05, 32), (10.0, 32)])
def test_a_budget_chooses_steps_and_size_for_the_model_there_is(
    monkeypatch: pytest.MonkeyPatch, seconds_a_step: float, side: int
):
    asked = []

    def measured(config: Any, **_: object) -> float:
        asked.append(config.model)
        return seconds_a_step * (config.data.image_size / 32) ** 8

    monkeypatch.setattr(plan_module, "seconds_per_step", measured)
    start = made()
    found = planned(start, seconds=4.0)
    assert found.config.data.image_size == side
    assert set(asked) == {start.model}
    assert found.config.budget_seconds == 4.0


def test_weights_need_fewer_passes_than_a_start_from_scratch():
    assert fine_tuning_epochs(5_000) < wanted_epochs(5_000)


@pytest.mark.parametrize("name", ["model.depth", "model.embed_dim", "model.position"])
def test_numbers_that_the_shape_depends_on_cannot_be_set(name: str):
    with pytest.raises(UsageError, match=rf"{name} would change the model.*vit_tiny of timm"):
        planned(made(), settings={name: "2"})
    with pytest.raises(UsageError, match=r"data\.channels=1 does not fit"):
        planned(made(), settings={"data.channels": "1"})


def test_numbers_that_weights_do_not_depend_on_can():
    settings = {"model.drop_path": "0.1", "model.attention": "explicit", "data.channels": "3"}
    require_adaptable(made(), settings)
    found = planned(made(), settings=settings).config.model
    assert found == replace(tiny.foreign_config(side=64), drop_path=0.1, attention="explicit")


def test_a_model_of_clips_is_not_trained_on_pictures():
    clips = made(replace(tiny.foreign_config(), tubelet_size=2, position="sincos"))
    with pytest.raises(UsageError, match="reads clips of 2 or more frames"):
        planned(clips)


@pytest.mark.parametrize(
    ("name", "fits"),
    [("vit", True), ("rag", False), ("vit-ti", False), ("vit-s16", True), ("vit-s8", False)],
)
def test_a_model_is_called_by_family_size_and_patch(name: str, fits: bool):
    model = replace(tiny.foreign_config(), embed_dim=384, depth=12, patch_size=16)
    assert is_called(model, name) == fits
    if not fits:
        with pytest.raises(UsageError, match=f"--model is {name}, and --init weights is a vit_tin"):
            require_same_model(name, made(model))


def test_colours_that_differ_are_said():
    grey, colour = replace(tiny.facts(), is_grey=True), tiny.facts()
    config = planned(made()).config
    assert any("grey pictures are read as RGB" in line for line in lines(made(), config, grey))
    one = replace(made(), preprocess=replace(made().preprocess, channels=1))
    assert any("read as grey" in line for line in lines(one, config, colour))
    assert not any("read as" in line for line in lines(made(), config, colour))
    assert lines(made(), config, colour)[0] == "start      weights, licence mit"


def test_a_run_is_a_start_whose_name_stays(tmp_path: Path):
    run = replace(made(), library="saccade", architecture="rag-nano4")
    assert planned(run).model_name == "rag-nano4"
