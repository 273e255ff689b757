"""The commands that compare pictures say on stdout what their verbs return."""

import json
from pathlib import Path

import pytest

from tests import tiny
from tests.tiny import World, call


@pytest.fixture(scope="module")
def index(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "index"
    done = call("index", world.run, world.source, "--out", out, "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(out)
    return out


def test_embed_says_how_many_vectors_there_are(world: World, tmp_path: Path) -> None:
    done = call("embed", world.run, world.source, "--out", tmp_path / "out", "--quiet")

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("72 vectors of 96 numbers in ")


def test_search_is_a_table_for_people_and_one_document_for_programs(
    world: World, index: Path
) -> None:
    query = world.source / "sky" / "002.png"

    text = call("search", index, query, "-k", 3, "--quiet")
    document = json.loads(call("search", index, query, "-k", 3, "--json", "--quiet").stdout)

    assert text.exit_code == 0, text.output
    lines = text.stdout.splitlines()
    assert lines[0] == str(query)
    assert len(lines) == 4
    (found,) = document["queries"]
    for line, hit in zip(lines[1:], found["neighbours"], strict=True):
        assert hit["path"] in line
        assert f"{hit['similarity']:.3f}" in line
    assert (document["n"], document["k"]) == (72, 3)


def test_search_by_class_needs_no_picture(index: Path) -> None:
    done = call("search", index, "--label", "leaf", "-k", 2, "--quiet")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "leaf"


def test_duplicates_lists_the_groups(tmp_path: Path) -> None:
    folder = tiny.draw_folder(tmp_path / "pictures", count=4)
    (folder / "sky" / "copy.png").write_bytes((folder / "apple" / "001.png").read_bytes())

    done = call("duplicates", folder, "--threshold", 0.99, "--quiet")

    assert done.exit_code == 0, done.output
    assert "group 1: 2 pictures, the same file" in done.stdout
    assert "copy.png  sky" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "nowhere", "q.png"), "there is no index nowhere"),
        (("duplicates", "nowhere"), "does not exist"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(arguments: tuple[str, ...], message: str) -> None:
    done = call(*arguments)

    assert done.exit_code == 2
    assert message in done.stderr
