"""Making a model from the command line: one document or one line on stdout, and no leftovers."""

import json
from pathlib import Path

import pytest

from tests import tiny
from tests.tiny import call


def test_train_gives_one_document_with_its_figures(world: tiny.World, tmp_path: Path):
    out = tmp_path / "run"
    arguments = tiny.train_command(world.source, out, steps="2")[3:]
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["run"] == str(out)
    assert document["job"] == "classify"
    assert document["n"] > 0
    assert document["steps"] == 2
    assert {"top1", "ece", "macro_f1", "log_loss"} <= document["metrics"].keys()
    assert all(0 <= document["metrics"][name] <= 1 for name in ("top1", "ece"))
    assert Path(document["report"]).is_file()
    assert "Training rag-pico4" in result.stderr


def test_quiet_is_silent_and_stdout_is_the_report(world: tiny.World, tmp_path: Path):
    arguments = tiny.train_command(world.source, tmp_path / "run", steps="2")[3:]
    result = call(*arguments, "--quiet")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout == f"{tmp_path / 'run' / 'report.html'}\n"


def test_weights_are_converted_and_trained_from(world: tiny.World, tmp_path: Path):
    weights = tiny.foreign_weights(tmp_path / "vit")
    text = call("convert", weights, "--out", tmp_path / "a", "--quiet")
    assert (text.exit_code, text.stderr) == (0, "")
    assert text.stdout == f"{tmp_path / 'a'}\n"
    made = call("convert", weights, "--out", tmp_path / "b", "--patch-size", "8", "--json")
    document = json.loads(made.stdout)
    assert document["out"] == str(tmp_path / "b")
    assert document["licence"] == "cc-by-4.0"
    assert "patches resized from 4 to 8" in " ".join(document["notes"])
    arguments = tiny.train_command(world.source, tmp_path / "run", steps="2", model="vit")[3:]
    trained = call(*arguments, "--init", tmp_path / "a", "--new-head", "--json")
    assert trained.exit_code == 0, trained.stderr
    assert "head       new, for 3 classes" in trained.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["predict", "{weights}", "{pictures}"],
        ["evaluate", "{weights}", "{pictures}"],
        ["explain", "{weights}", "{pictures}", "--out", "{out}"],
        ["convert", "{weights}", "--out", "{out}"],
        ["train", "{pictures}", "--init", "{weights}", "--out", "{out}", "--steps", "1"],
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("weights", ["hf://owner/name", "weights.txt", "nothing"])
def test_weights_that_cannot_be_read_are_one_message_and_2(
    world: tiny.World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    weights: str,
):
    # The client reads its settings when it is imported, which may have happened.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "weights.txt").write_text("no weights")
    named = weights if weights.startswith("hf://") else str(tmp_path / weights)
    places = {"weights": named, "pictures": world.source, "out": tmp_path / "out"}
    result = call(*(word.format(**places) for word in command), "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert named in document["error"]
    assert result.stderr.count("saccade: ") == 1
    assert not (tmp_path / "out").exists()
