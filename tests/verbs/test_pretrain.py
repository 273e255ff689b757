"""Pretraining needs no labels, can be continued, and its weights start any other job."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import saccade
from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.config.task import PretrainConfig
from saccade.errors import UsageError
from saccade.run.contract import load_contract
from saccade.run.start import read_start
from saccade.verbs.trained import TrainResult
from tests import tiny
from tests.pretrained import SETTINGS, STEPS, pretrained, source


def again(out: Path, **options: Any) -> TrainResult:
    given: dict[str, Any] = {"steps": 2, "settings": SETTINGS, "device": "cpu", "is_quiet": True}
    return saccade.pretrain(source(), out, **(given | options))


def test_a_flat_folder_of_pictures_is_enough(tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for number in range(30):
        tiny.draw(np.random.default_rng(number), number).save(flat / f"{number:02d}.png")

    result = saccade.pretrain(
        flat, tmp_path / "run", model="vit-pico4", steps=2, settings=SETTINGS, is_quiet=True
    )

    assert result.job == "pretrain"
    assert result.headline == "rank_share"
    assert "knn_top1" not in result.metrics
    page = result.report.read_text()
    assert "Effective rank as a share of the width" in page
    assert "rank share" not in page.lower()


@pytest.mark.parametrize("method", ["visreg", "dino", "mae"])
def test_the_run_says_how_it_learned(method: str) -> None:
    result = pretrained(method)
    config = from_json(RunConfig, json.loads((result.run / "config.json").read_text()))
    contract = load_contract(result.run / "contract.json")

    assert isinstance(config.task, PretrainConfig)
    assert config.task.method == method
    assert contract.job == "pretrain"
    assert contract.class_names == ()
    assert result.headline == "knn_top1"
    assert result.steps == STEPS


def test_labels_change_no_weight(tmp_path: Path) -> None:
    """The same pictures in folders of classes and without, in the same order."""
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in sorted(source().rglob("*.png")):
        (flat / f"{path.parent.name}-{path.name}").write_bytes(path.read_bytes())
    fixed = SETTINGS | {"data.val_fraction": "0", "data.test_fraction": "0", "task.flip": "0.5"}
    runs = [
        saccade.pretrain(
            folder,
            tmp_path / name,
            model="vit-pico4",
            steps=2,
            settings=fixed,
            is_quiet=True,
        ).run
        for folder, name in ((flat, "without"), (source(), "with"))
    ]

    without, with_labels = (read_start(run).tensors for run in runs)
    assert all(torch.equal(value, with_labels[name]) for name, value in without.items())


@pytest.mark.parametrize("method", ["dino", "visreg"])
def test_it_goes_on_from_its_own_weights(method: str, tmp_path: Path) -> None:
    """With the same method everything is kept, with another the backbone."""
    start = read_start(pretrained("visreg").run)

    result = again(
        tmp_path / "run",
        init=pretrained("visreg").run,
        method=method,
        settings=SETTINGS | {"optim.lr": "0"},
    )

    found = read_start(result.run).tensors
    same = {
        name
        for name, value in start.tensors.items()
        if name in found and torch.equal(value, found[name])
    }
    assert {name for name in start.tensors if name.startswith("backbone.blocks")} <= same
    assert ("head.project.6.weight" in same) == (method == "visreg")
    origin = load_contract(result.run / "contract.json").origin
    assert origin is not None
    assert origin.has_new_head == (method == "dino")


@pytest.mark.parametrize("method", ["visreg", "dino", "mae"])
def test_a_classifier_starts_from_its_backbone(method: str, tmp_path: Path) -> None:
    result = saccade.train(
        source(),
        tmp_path / "run",
        init=pretrained(method).run,
        steps=1,
        settings=tiny.SETTINGS | {"optim.lr": "0"},
        device="cpu",
        is_quiet=True,
    )

    before, after = read_start(pretrained(method).run).tensors, read_start(result.run).tensors
    names = [name for name in before if name.startswith("backbone.blocks")]
    assert names
    assert all(torch.equal(before[name], after[name]) for name in names)


def test_a_run_is_resumed_with_its_own_method(tmp_path: Path) -> None:
    out = tmp_path / "run"
    again(out, method="mae", model="vit-pico4", steps=4)

    with pytest.raises(UsageError, match="--set"):
        saccade.pretrain(source(), out, method="dino", resume=True, is_quiet=True)
    assert saccade.pretrain(source(), out, resume=True, is_quiet=True).steps == 4


def test_two_methods_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name one method"):
        saccade.pretrain(source(), tmp_path / "run", method="mae", settings={"task.method": "dino"})
    assert not (tmp_path / "run").exists()


def test_an_unknown_method_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'lejepa'"):
        saccade.pretrain(source(), tmp_path / "run", method="lejpea", is_quiet=True)
    assert not (tmp_path / "run").exists()


def test_mae_refuses_a_model_that_convolves_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mae hides patches"):
        again(tmp_path / "run", method="mae", model="rag-pico4")
    assert not (tmp_path / "run").exists()
