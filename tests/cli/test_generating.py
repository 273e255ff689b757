"""The commands turn words into calls of the verbs, and results into text or JSON."""

import json
from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from saccade.cli.generating import generate, translate
from tests import tiny_flow

APP = typer.Typer()
APP.command()(generate)
APP.command()(translate)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def test_generate_says_where_the_sheet_is(tmp_path: Path) -> None:
    run = tiny_flow.generator().run

    said = call("generate", run, "--out", tmp_path / "new", "--count", 2, "--device", "cpu", "-q")

    assert said.exit_code == 0
    assert said.stdout.strip() == str(tmp_path / "new" / "sheet.png")


def test_generate_passes_on_what_was_asked(tmp_path: Path) -> None:
    run = tiny_flow.generator().run
    asked = ["--label", "sky", "--guidance", 2, "--steps", 1, "--seed", 4, "--count", 3]

    said = call(
        "generate", run, "--out", tmp_path / "new", *asked, "--json", "--device", "cpu", "-q"
    )

    document = json.loads(said.stdout)
    assert document["seed"] == 4
    assert [entry["label"] for entry in document["pictures"]] == ["sky"] * 3


def test_an_unknown_class_is_wrong_usage(tmp_path: Path) -> None:
    said = call(
        "generate", tiny_flow.generator().run, "--out", tmp_path / "n", "--label", "x", "-q"
    )

    assert said.exit_code == 2


def test_translate_says_what_became_of_each_picture(tmp_path: Path) -> None:
    world = tiny_flow.translator()
    picture = world.source / "input" / "000.png"

    said = call("translate", world.run, picture, "--out", tmp_path / "out", "--device", "cpu", "-q")

    assert said.exit_code == 0
    assert said.stdout.strip() == f"{picture}: 00000-000.png"
