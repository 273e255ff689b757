"""One result or one message; exit codes say what kind of failure it was."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import tiny
from tests.tiny import call


@pytest.mark.parametrize("verb", ["evaluate", "predict", "explain", "report"])
def test_what_is_no_run_is_wrong_usage_in_one_document(
    world: tiny.World, tmp_path: Path, verb: str
):
    rest = {
        "evaluate": [world.source],
        "predict": [world.source],
        "explain": [world.source, "--out", tmp_path / "out"],
        "report": [],
    }[verb]
    result = call(verb, tmp_path, *rest, "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["exit_code"] == 2
    assert "not a run folder" in document["error"]
    assert f"saccade: {document['error']}" in result.stderr


def test_without_json_a_failure_leaves_stdout_empty(tmp_path: Path):
    result = call("report", tmp_path / "nothing")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("saccade: there is no run folder")


def test_bad_data_is_3(world: tiny.World, tmp_path: Path):
    other = tiny.draw_folder(tmp_path / "pictures", classes=("cat", "dog"), count=2)
    result = call("evaluate", world.run, other, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["exit_code"] == 3


def test_damaged_weights_are_named(world: tiny.World, tmp_path: Path):
    shutil.copytree(world.run, tmp_path / "run")
    (tmp_path / "run" / "weights.safetensors").write_bytes(b"no weights")
    result = call("predict", tmp_path / "run", world.source)
    assert result.exit_code == 2
    assert "weights.safetensors" in result.stderr
    assert "damaged" in result.stderr


@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_ctrl_c_is_130_whenever_it_comes(
    world: tiny.World, monkeypatch: pytest.MonkeyPatch, flag: list[str]
):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("saccade.jobs.classify.job.judge", interrupted)
    result = call("evaluate", world.run, world.source, *flag)
    assert result.exit_code == 130
    assert "stopped" in result.stderr
    if flag:
        assert json.loads(result.stdout)["exit_code"] == 130


@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_an_error_of_the_disk_is_one_message_and_1(
    world: tiny.World, monkeypatch: pytest.MonkeyPatch, flag: list[str]
):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("saccade.verbs.report.write_report", full)
    result = call("report", world.run, *flag)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr
    if flag:
        assert json.loads(result.stdout)["exit_code"] == 1


def test_a_reader_that_goes_away_is_no_failure(world: tiny.World):
    predict = tiny.command("predict", world.run, world.source)
    with subprocess.Popen(
        predict, env=tiny.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        said = child.stderr.read()
    assert b"Traceback" not in said
    assert b"Exception" not in said
    assert child.returncode == 0


@pytest.mark.parametrize("flag", [[], ["--json"]])
@pytest.mark.parametrize(
    "error",
    [
        MemoryError("unable to allocate 754 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 754 GiB"),
        RuntimeError("CUDA out of memory. Tried to allocate 754 GiB"),
    ],
)
def test_too_little_memory_is_one_message_and_1(
    world: tiny.World, monkeypatch: pytest.MonkeyPatch, flag: list[str], error: Exception
):
    def too_much(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("saccade.jobs.classify.job.judge", too_much)
    result = call("evaluate", world.run, world.source, *flag)
    assert result.exit_code == 1
    assert f"out of memory ({error}); choose smaller" in result.stderr
    assert "Traceback" not in result.stderr
    if flag:
        assert json.loads(result.stdout)["exit_code"] == 1


def test_other_errors_are_bugs_and_keep_their_traceback(
    world: tiny.World, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("sizes differ")

    monkeypatch.setattr("saccade.jobs.classify.job.judge", broken)
    assert isinstance(call("evaluate", world.run, world.source).exception, RuntimeError)
