"""Probes judge the pictures that no model has seen, whatever the model was trained for."""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import saccade
from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.errors import DataError, UsageError
from saccade.run.contract import load_contract
from saccade.serving.load import load_engine
from saccade.tasks.build import build_task
from saccade.verbs.probe import ProbeResult, _fresh
from tests import tiny
from tests.pretrained import pretrained, source
from tests.tiny import World


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saccade.serving.probe_attentive.FEWEST_STEPS", 5)


def probe(run: str | Path, pictures: Path, **options: Any) -> ProbeResult:
    given: dict[str, Any] = {"shots": (2,), "repeats": 2, "device": "cpu", "is_quiet": True}
    return saccade.probe(run, pictures, **(given | options))


def test_a_table_with_the_model_its_fresh_weights_and_pixels() -> None:
    found = probe(pretrained("visreg").run, source(), control=True)

    assert found.num_classes == 3
    assert {(row.features, row.probe) for row in found.rows} == {
        *product(("model", "fresh weights"), ("knn", "linear", "attentive")),
        ("pixels", "knn"),
        ("pixels", "linear"),
    }  # fmt: skip
    assert {row.shots for row in found.rows} == {None, 2}


def test_fresh_weights_are_those_that_training_began_with() -> None:
    run = pretrained("visreg").run
    engine = load_engine(run, device="cpu")
    config = from_json(RunConfig, json.loads((run / "config.json").read_text()))

    fresh = _fresh(run, engine).task.state_dict()

    begun = build_task(config, class_names=(), preprocess=engine.preprocess).state_dict()
    assert all(torch.equal(value, fresh[name]) for name, value in begun.items())
    learned = engine.task.state_dict()
    assert not torch.equal(
        fresh["backbone.blocks.0.mlp.widen.weight"], learned["backbone.blocks.0.mlp.widen.weight"]
    )


def test_on_its_own_source_the_runs_own_test_part_is_judged() -> None:
    run = pretrained("visreg").run
    splits = load_contract(run / "contract.json").data.splits

    found = probe(run, source(), probes=["knn"])

    assert found.num_test == splits["test"]
    assert found.num_train == splits["train"]
    assert found.notes == []


def test_pictures_that_training_saw_are_not_judged_in_another_source(tmp_path: Path) -> None:
    other = tiny.draw_folder(tmp_path / "other", classes=("x", "y", "z"))  # the same pictures

    found = probe(pretrained("visreg").run, other, probes=["knn"])

    assert any("were trained on and are left out" in note for note in found.notes)


def test_runs_of_other_jobs_and_weights_of_other_libraries_are_probed(
    world: World, tmp_path: Path
) -> None:
    for run in (world.run, tiny.foreign_weights(tmp_path / "weights")):
        found = probe(run, world.source, probes=["linear"])
        assert max(row.top1 for row in found.rows if row.features == "model") > 0.5


def test_other_classes_than_the_models_can_be_asked_for(world: World, tmp_path: Path) -> None:
    other = tiny.draw_folder(tmp_path / "other", classes=("one", "two"), seed=5)

    assert probe(world.run, other, probes=["knn"]).num_classes == 2


def test_classes_with_fewer_pictures_than_asked_for_give_what_they_have() -> None:
    found = probe(pretrained("visreg").run, source(), probes=["linear"], shots=(1000,))

    assert {row.num_labels for row in found.rows} == {found.num_train}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probes": ["liner"]}, "did you mean 'linear'"),
        ({"shots": (0,)}, "--shots has 0"),
        ({"repeats": 0}, "--repeats has 0"),
    ],
)
def test_words_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        probe(pretrained("visreg").run, source(), **options)


def test_fresh_weights_of_another_librarys_model_are_not_known(tmp_path: Path) -> None:
    weights = tiny.foreign_weights(tmp_path / "weights")

    with pytest.raises(UsageError, match="leave --control out"):
        probe(weights, source(), control=True)


def test_pictures_without_classes_are_refused(tmp_path: Path) -> None:
    tiny.draw(np.random.default_rng(0), 0).save(tmp_path / "a.png")

    with pytest.raises(DataError, match="without labels"):
        probe(pretrained("visreg").run, tmp_path)


def test_the_same_call_gives_the_same_table() -> None:
    first, second = (probe(pretrained("visreg").run, source()) for _ in range(2))

    assert replace(first, run="") == replace(second, run="")
