"""A run folder has everything in it, and calls that do not fit together leave nothing behind."""

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors

import saccade
from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.errors import UsageError
from saccade.run.contract import load_contract
from saccade.verbs.trained import TrainResult
from tests import tiny
from tests.tiny import World


def train(source: Path, out: Path, **options: Any) -> TrainResult:
    given: dict[str, Any] = {
        "model": "cnn-pico4",
        "steps": 2,
        "settings": tiny.SETTINGS,
        "device": "cpu",
    }
    return saccade.train(source, out, is_quiet=True, **(given | options))


def test_a_run_folder_has_everything_in_it(world: World):
    names = {path.name for path in world.run.iterdir()}
    assert {
        "config.json",
        "contract.json",
        "environment.json",
        "weights.safetensors",
        "last.safetensors",
        "log.jsonl",
        "checkpoints",
        "evaluation",
        "report.html",
        "README.md",
    } <= names
    assert not list(world.run.rglob(".*"))


def test_the_result_is_what_the_files_say(world: World):
    contract = load_contract(world.run / "contract.json")
    assert world.result.run == world.run
    assert world.result.split == "test"
    assert world.result.n == contract.data.splits["test"]
    assert world.result.steps == 30
    assert world.result.metrics == pytest.approx(contract.figures["test"])
    assert world.result.metrics["top1"] > 0.8


def test_the_weights_say_themselves_what_they_are(world: World):
    for name in ("weights.safetensors", "last.safetensors"):
        with safetensors.safe_open(world.run / name, framework="pt") as file:
            promised = json.loads(file.metadata()["contract"])
        assert promised["class_names"] == list(tiny.CLASSES)
        assert promised["preprocess"]["height"] == 16


def test_the_config_in_the_folder_is_complete_and_honours_the_settings(world: World):
    config = from_json(RunConfig, json.loads((world.run / "config.json").read_text()))
    assert config.steps == 30
    assert config.data.batch_size == 16
    assert config.precision == "fp32"
    assert config.model.family == "rag"


def test_how_long_to_train_is_said_once(world: World, tmp_path: Path):
    with pytest.raises(UsageError, match=r"--budget 1m and --steps 2 were given"):
        train(world.source, tmp_path / "run", budget="1m")
    for name, value in (("steps", 0), ("steps", -3), ("epochs", 0.0)):
        with pytest.raises(UsageError, match=f"--{name} is .*above 0"):
            train(world.source, tmp_path / "run", **({"steps": None} | {name: value}))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"model": "rga"},
        {"settings": {"optim.lrr": "1"}},
        {"settings": {"data.val_fraction": "2"}},
        {"device": "cuda:77"},
        {"steps": None, "budget": "soon"},
        {"settings": {"model.patch_size": "5"}},
        {"resume": True},
    ],
    ids=str,
)
def test_a_call_that_does_not_fit_leaves_nothing(
    world: World, tmp_path: Path, options: dict[str, object]
):
    with pytest.raises((UsageError, ValueError)):
        train(world.source, tmp_path / "run", **options)
    assert list(tmp_path.iterdir()) == []


def test_nothing_held_out_still_trains_and_says_on_what_the_figures_are(
    world: World, tmp_path: Path
):
    settings = {**tiny.SETTINGS, "data.val_fraction": "0", "data.test_fraction": "0"}
    result = train(world.source, tmp_path / "run", settings=settings)
    assert result.n == 72
    assert result.split == "train"


def test_with_val_but_without_test_the_figures_are_on_val(world: World, tmp_path: Path):
    settings = {**tiny.SETTINGS, "data.test_fraction": "0"}
    result = train(world.source, tmp_path / "run", settings=settings)
    contract = load_contract(tmp_path / "run" / "contract.json")
    assert (result.split, result.n) == ("val", contract.data.splits["val"])
    found = saccade.evaluate(tmp_path / "run", world.source, device="cpu", is_quiet=True)
    assert (found.split, found.n) == ("val", result.n)


def test_a_seed_set_by_its_setting_divides_the_pictures_as_evaluate_will(
    world: World, tmp_path: Path
):
    # Else pictures that were trained on would be judged on.
    settings = {**tiny.SETTINGS, "seed": "3"}
    train(world.source, tmp_path / "a", settings=settings)
    train(world.source, tmp_path / "b", seed=3)
    assert (tmp_path / "a" / "evaluation" / "test.parquet").read_bytes() == (
        tmp_path / "b" / "evaluation" / "test.parquet"
    ).read_bytes()


def test_a_source_with_all_three_splits_keeps_them(tmp_path: Path):
    for split, count in (("train", 6), ("val", 2), ("test", 3)):
        tiny.draw_folder(tmp_path / "pictures" / split, count=count)
    result = train(tmp_path / "pictures", tmp_path / "run")
    contract = load_contract(tmp_path / "run" / "contract.json")
    assert contract.data.splits == {"train": 18, "val": 6, "test": 9}
    assert (result.split, result.n) == ("test", 9)


def test_demo_of_an_unknown_job_and_in_a_used_folder_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="no demo of 'clasify'; did you mean 'classify'"):
        saccade.demo(job="clasify", out=tmp_path / "demo", is_quiet=True)
    assert not (tmp_path / "demo").exists()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"):
        saccade.demo(out=tmp_path, is_quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
