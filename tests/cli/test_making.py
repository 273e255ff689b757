"""Training from the command line: one document or one line on stdout, progress on stderr."""

import json
from pathlib import Path

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
