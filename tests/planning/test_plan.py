"""The user's word comes first; what is left open is derived, and each number is said."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from saccade.backbones.sizes import model_config
from saccade.data.sources import open_source
from saccade.errors import UsageError
from saccade.jobs.classify.job import ClassifyJob
from saccade.planning import plan as plan_module
from saccade.planning.budget import Candidate, Choice
from saccade.planning.facts import look
from saccade.planning.plan import Plan, Wish, leave_time_to_judge, plan
from saccade.planning.speed import seconds_per_step
from tests import tiny


def make(model: str = "rag", *, seconds: float | None = None, side: int = 16, **wish: Any) -> Plan:
    given: dict[str, Any] = {"budget_seconds": seconds, "epochs": None, "steps": None, **wish}
    if seconds is None and given["epochs"] is None and given["steps"] is None:
        given["steps"] = 50
    return plan(
        Wish(model=model, **given),
        tiny.facts(side=side),
        recipe=ClassifyJob().recipe({}),
        source="pictures",
        training_seconds=seconds,
        device=torch.device("cpu"),
        num_threads=1,
    )


SETTINGS = {
    "optim.lr": ("0.0123", lambda c: c.optim.lr == 0.0123),
    "data.batch_size": ("7", lambda c: c.data.batch_size == 7),
    "data.image_size": ("24", lambda c: c.data.image_size == 24),
    "data.val_fraction": ("0.3", lambda c: c.data.val_fraction == 0.3),
    "model.drop_path": ("0.25", lambda c: c.model.drop_path == 0.25),
    "model.depth": ("1", lambda c: c.model.depth == 1),
    "augment.flip": ("0", lambda c: c.augment.flip == 0),
    "precision": ("bf16", lambda c: c.precision == "bf16"),
    "save_every": ("3", lambda c: c.save_every == 3),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_honoured(name: str):
    text, holds = SETTINGS[name]
    assert holds(make(settings={name: text}).config)


def test_the_pinned_side_reaches_the_preprocessing():
    found = make(settings={"data.image_size": "24", "data.channels": "1"}).preprocess
    assert (found.height, found.width, found.channels) == (24, 24, 1)
    assert found.mean == pytest.approx((0.4,))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("optim.lrr", "optim.lr"),
        ("data.batchsize", "data.batch_size"),
        ("model.droppath", "model.drop_path"),
        ("optimizer.lr", "optim.lr"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest(wrong: str, right: str):
    with pytest.raises(UsageError, match=f"no setting {wrong}; did you mean '{right}'"):
        make(settings={wrong: "1"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("optim.lr", "fast"),
        ("data.batch_size", "7.5"),
        ("data.image_size", "big"),
        ("data.image_size", "0"),
        ("precision", "fp8"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(name: str, text: str):
    with pytest.raises(UsageError, match=name):
        make(settings={name: text})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data.batch_size", "0"),
        ("data.batch_size", "-4"),
        ("data.num_threads", "0"),
        ("log_every", "0"),
        ("evaluate_every", "0"),
        ("save_every", "-1"),
        ("seed", "-1"),
        ("steps", "0"),
        ("optim.lr", "nan"),
        ("model.drop_path", "1.5"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused_by_name(name: str, text: str):
    with pytest.raises((UsageError, ValueError), match=name.rpartition(".")[2]):
        make(settings={name: text})


@pytest.mark.parametrize("text", ["1", "-0.1", "most", "nan"])
def test_a_share_to_hold_out_is_between_0_and_1(text: str):
    wish = Wish(
        model="rag",
        budget_seconds=None,
        epochs=None,
        steps=1,
        settings={"data.test_fraction": text},
    )
    with pytest.raises(UsageError, match=r"data\.test_fraction"):
        wish.held_out()


def test_an_unknown_model_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"no model is called 'rga-nano'; did you mean 'rag-nano"):
        make("rga-nano")


def test_steps_are_steps_and_epochs_are_passes():
    assert make(steps=123).config.steps == 123
    config = make(epochs=2.0).config
    assert config.steps == round(2 * (72 // config.data.batch_size))


def test_without_a_budget_nothing_is_measured(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any, **__: Any) -> float:
        raise AssertionError("measured")

    monkeypatch.setattr(plan_module, "seconds_per_step", fail)
    assert make(steps=5).config.budget_seconds is None


def test_a_budget_decides_the_steps_from_the_measured_speed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plan_module, "seconds_per_step", lambda *_, **__: 0.5)
    found = make("rag-pico4", seconds=100.0)
    assert found.config.steps == 200
    assert found.config.budget_seconds == 100.0
    assert found.model_name == "rag-pico4"


def test_every_derived_number_is_said():
    found = make(steps=50)
    text = "\n".join(found.lines)
    config = found.config
    for said in (
        found.model_name,
        "16 x 16 pixels",
        f"batch      {config.data.batch_size} ",
        "steps      50,",
        f"precision  {config.precision}",
        f"{config.optim.lr:.2g}",
        "mirroring",
    ):
        assert said in text


@pytest.mark.parametrize("family", ["vit", "rag", "attncnn", "cnn"])
@pytest.mark.parametrize("side", [8, 28, 100, 500])
def test_every_family_at_any_size_of_picture_makes_a_config_that_fits(family: str, side: int):
    found = make(family, side=side, steps=5)
    assert found.config.data.image_size % found.config.model.patch_size == 0
    assert found.config.model.family == family
    assert type(model_config(found.model_name)) is type(found.config.model)


def test_one_step_is_timed_in_seconds():
    found = make("cnn-pico4", steps=5, settings={"data.batch_size": "4"})
    seconds = seconds_per_step(
        found.config,
        num_classes=3,
        preprocess=found.preprocess,
        device=torch.device("cpu"),
        targets=torch.arange(4) % 3,
        batch_size=4,
        num_steps=1,
    )
    assert 0 < seconds < 60


def test_facts_are_those_of_the_pictures(tmp_path: Path):
    source = open_source(tiny.draw_folder(tmp_path / "pictures", count=6, side=20))
    (tmp_path / "pictures" / "sky" / "005.png").write_bytes(b"broken")
    found = look(source.splits["all"], num_classes=3)
    assert (found.num_pictures, found.num_classes, found.side) == (18, 3, 20)
    assert not found.is_grey
    assert np.allclose(found.mean, (60 + 40) / 255, atol=0.03)
    assert all(0.1 < std < 0.4 for std in found.std)


@pytest.mark.parametrize(
    ("cost", "steps", "kept"), [(0.0, 100, 0.0), (300.0, 90, 20.0), (1e6, 50, 100.0)]
)
def test_what_judging_costs_is_taken_from_training_up_to_half(cost: float, steps: int, kept: float):
    made = replace(make().config, data=replace(make().config.data, batch_size=30))
    recipe = replace(ClassifyJob().recipe({}), judging=lambda config, facts: cost)
    choice = Choice(Candidate("rag-pico4", 16), 2.0, 100)
    left, seconds = leave_time_to_judge(choice, made, tiny.facts(), recipe)
    assert (left.steps, seconds) == (steps, kept)
