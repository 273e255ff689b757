"""stdout carries the result and nothing else; exit codes say what kind of failure it was."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import saccade
from saccade.cli import app
from tests import tiny

VERBS = ("demo", "train", "evaluate", "predict", "explain", "report", "models")


@pytest.fixture(scope="module")
def world() -> tiny.World:
    return tiny.world()


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def python(code: str) -> subprocess.CompletedProcess[str]:
    return tiny.run_command([sys.executable, "-c", code])


def test_help_of_every_verb_needs_no_torch():
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from saccade.cli import app\n"
        f"for verb in {['', *VERBS]!r}:\n"
        "    result = CliRunner().invoke(app, [*verb.split(), '--help'])\n"
        "    assert result.exit_code == 0, verb\n"
        "    assert 'Usage' in result.stdout, verb\n"
        "assert 'torch' not in sys.modules\n"
        "assert 'numpy' not in sys.modules\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_importing_saccade_does_nothing_but_know_the_verbs():
    code = (
        "import sys, saccade\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
        "print(sorted(set(dir(saccade))))\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
    for verb in (*VERBS, "load"):
        assert repr(verb) in done.stdout


def test_every_verb_of_the_command_line_is_a_function():
    commands = set(typer.main.get_command(app).commands)  # pyrefly: ignore[missing-attribute]
    assert commands == set(VERBS)
    for verb in VERBS:
        assert callable(getattr(saccade, verb))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = saccade.trian


def test_version_is_the_packages():
    result = call("--version")
    assert result.exit_code == 0
    assert result.stdout == f"saccade {saccade.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["trian"],
        ["train"],
        ["train", "pictures"],
        ["train", "pictures", "--out", "run", "--steps", "many"],
        ["models", "--nonsense"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]):
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr != ""


def test_models_are_listed_for_people_and_for_programs():
    text = call("models", "--image-size", "64")
    assert text.exit_code == 0
    assert "rag-nano16" in text.stdout
    document = json.loads(call("models", "--image-size", "64", "--json").stdout)
    names = {model["name"] for model in document["models"]}
    assert {"vit-ti16", "rag-s16", "attncnn-s16", "cnn-s16"} <= names
    assert all(model["num_parameters"] > 0 and model["gflops"] > 0 for model in document["models"])
    # DeiT-Ti has 5.7 million parameters with its head of 1,000 classes (192,000 + 1,000 of them).
    (ti,) = [m for m in document["models"] if m["name"] == "vit-ti16"]
    assert 5.2e6 < ti["num_parameters"] < 5.7e6


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


def test_evaluate_says_the_figures_to_people_and_programs(world: tiny.World):
    text = call("evaluate", world.run, world.source)
    assert text.exit_code == 0, text.stderr
    assert "top1" in text.stdout
    document = json.loads(call("evaluate", world.run, world.source, "--json").stdout)
    assert document["job"] == "classify"
    assert document["split"] == "test"
    assert 0 <= document["metrics"]["top1"] <= 1
    assert len(document["confusion"]) == 3
    assert sum(map(sum, document["confusion"])) == document["n"]
    assert f"top1 {document['metrics']['top1']:.4f}" in " ".join(text.stdout.split())


def test_predict_without_a_table_prints_a_line_per_picture(world: tiny.World):
    folder = world.source / "apple"
    lines = call("predict", world.run, folder).stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [Path(row["path"]).name for row in rows] == sorted(p.name for p in folder.iterdir())
    document = json.loads(call("predict", world.run, folder, "--json").stdout)
    assert document["predictions"] == rows


def test_predict_and_explain_say_where_things_are(world: tiny.World, tmp_path: Path):
    picture = world.source / "apple" / "000.png"
    table = tmp_path / "table.csv"
    result = call("predict", world.run, picture, "--out", table, "--json")
    assert json.loads(result.stdout) | {"labels": None} == {
        "run": str(world.run),
        "out": str(table),
        "n": 1,
        "num_errors": 0,
        "labels": None,
    }
    result = call("explain", world.run, picture, "--out", tmp_path / "looks", "--json")
    (entry,) = json.loads(result.stdout)["pictures"]
    assert all((tmp_path / "looks" / name).is_file() for name in entry["overlays"].values())


def test_report_is_written_anew(world: tiny.World, tmp_path: Path):
    shutil.copytree(world.run, tmp_path / "run")
    (tmp_path / "run" / "report.html").unlink()
    result = call("report", tmp_path / "run")
    assert result.exit_code == 0
    assert Path(result.stdout.strip()).is_file()
    document = json.loads(call("report", tmp_path / "run", "--json").stdout)
    assert document["report"] == str(tmp_path / "run" / "report.html")


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

    monkeypatch.setattr("saccade.verbs.evaluate.judge", interrupted)
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


def test_the_real_command_works_from_anywhere(tmp_path: Path):
    done = tiny.run_command(tiny.command("--version"), cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == f"saccade {saccade.__version__}\n"


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
