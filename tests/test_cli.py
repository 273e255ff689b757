"""The command line as a whole: quick help, a command for every function, wrong usage is 2."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer

import saccade
from saccade.cli import app
from tests import tiny
from tests.tiny import call

VERBS = (
    *("demo", "train", "distill", "evaluate", "predict", "explain", "report", "models", "convert"),
    *("pretrain", "probe", "embed", "index", "search", "duplicates", "generate", "translate"),
    *("recipes", "stress"),
)


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


def test_the_real_command_works_from_anywhere(tmp_path: Path):
    done = tiny.run_command(tiny.command("--version"), cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == f"saccade {saccade.__version__}\n"
