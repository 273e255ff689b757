"""Settings carry their --set names, and the next commands can be pasted into a shell."""

import ast
import json
import shlex
from collections.abc import Callable
from pathlib import Path

from saccade.reporting.making import making
from saccade.reporting.records import read_records


def test_settings_have_the_names_that_set_takes(make_run: Callable[..., Path]):
    tables = {table.title: dict(table.rows) for table in making(read_records(make_run())).settings}
    assert tables["Optim"] == {"optim.lr": "0.001", "optim.label_smoothing": "0.1"}
    assert tables["Run"] == {"job": "classify", "seed": "7", "steps": "100"}


def test_facts_identify_the_run(make_run: Callable[..., Path]):
    tables = {table.title: dict(table.rows) for table in making(read_records(make_run())).facts}
    assert tables["This run"]["data fingerprint"] == "ab" * 32
    assert tables["This run"]["seed"] == "7"
    assert tables["Preprocessing"]["fit"] == "crop"
    assert tables["Environment"]["cpu"] == "a CPU"


def test_commands_survive_a_path_with_spaces_and_quotes(make_run: Callable[..., Path]):
    run = make_run()
    contract = json.loads((run / "contract.json").read_text())
    contract["data"]["source"] = "my 'best' photos; rm -rf x"
    (run / "contract.json").write_text(json.dumps(contract))
    moved = run.rename(run.with_name("a run's folder"))
    for step in making(read_records(moved)).steps:
        words = shlex.split(step.command)
        assert str(moved) in words
        call = ast.parse(step.python, mode="eval").body
        assert isinstance(call, ast.Call)
        values = [a.value for a in call.args if isinstance(a, ast.Constant)]
        assert str(moved) in values
        if words[1] == "train":
            assert words[2] == values[0] == "my 'best' photos; rm -rf x"


def test_an_empty_run_has_next_steps_and_nothing_else(tmp_path: Path):
    found = making(read_records(tmp_path))
    assert found.facts == found.settings == []
    assert len(found.steps) == 5


def test_weights_that_training_began_with_are_named(converted: Path):
    records = read_records(converted)
    rows = dict(making(records).facts[0].rows)
    assert rows["began with"] == "vit_small_patch16_224 (timm), with its head"
    assert rows["its weights"] == "hf://owner/name"
    assert rows["their SHA-256"] == "cd" * 32
    assert "data fingerprint" not in rows


def test_converted_weights_are_learned_from_and_not_resumed(converted: Path):
    (step,) = [s for s in making(read_records(converted)).steps if "saccade train" in s.command]
    assert shlex.split(step.command)[2:4] == ["PICTURES", "--init"]
    assert "--resume" not in step.command


def test_a_teacher_is_named_and_asked_again_to_go_on(make_run: Callable[..., Path]):
    run = make_run()
    contract = json.loads((run / "contract.json").read_text())
    contract["teacher"] = {
        "source": "runs/large", "library": "saccade", "architecture": "rag-s4", "sha256": "ef" * 32
    }  # fmt: skip
    (run / "contract.json").write_text(json.dumps(contract))
    found = making(read_records(run))
    rows = dict(found.facts[0].rows)
    assert rows["taught by"] == "rag-s4 (saccade)"
    assert rows["the teacher's weights"] == "runs/large"
    assert rows["the teacher's SHA-256"] == "ef" * 32
    assert any(step.command.startswith("saccade distill ") for step in found.steps)
