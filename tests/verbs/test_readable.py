"""Where nothing could be read a verb ends as with bad data; its rows are there all the same."""

import json
from pathlib import Path

import pytest

import saccade
from saccade.errors import DataError
from saccade.verbs.predict import rows
from saccade.verbs.readable import require_any_readable
from tests import tiny


@pytest.fixture
def broken(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "a.png", tmp_path / "b.jpg"]
    for file in files:
        file.write_bytes(b"no picture")
    return files


def test_one_that_can_be_read_is_enough():
    require_any_readable(1, 2, noun="picture", why="")
    with pytest.raises(DataError, match="none of the 2 clips could be read; it is empty"):
        require_any_readable(2, 2, noun="clip", why="it is empty")


def test_predict_writes_its_table_and_ends_as_with_bad_data(broken: list[Path], tmp_path: Path):
    table = tmp_path / "answers.jsonl"
    with pytest.raises(
        DataError, match=r"none of the 2 pictures could be read; .*answers.jsonl says"
    ):
        saccade.predict(tiny.world().run, broken, table, is_quiet=True)
    written = [json.loads(line) for line in table.read_text().splitlines()]
    assert [row["path"] for row in written] == [str(file) for file in broken]
    assert all(row["error"] for row in written)


def test_rows_come_before_the_error(broken: list[Path]):
    found = rows(tiny.world().run, broken, is_quiet=True)
    assert [next(found)["path"], next(found)["path"]] == [str(file) for file in broken]
    with pytest.raises(DataError, match="none of the 2 pictures could be read; the first: "):
        next(found)


def test_on_the_command_line_that_is_3_and_one_good_picture_makes_it_0(broken: list[Path]):
    world = tiny.world()
    bad = tiny.call("predict", world.run, *broken, "--quiet")
    assert bad.exit_code == 3
    assert len(bad.stdout.splitlines()) == 2
    good = next(world.source.rglob("*.png"))
    assert tiny.call("predict", world.run, *broken, good, "--quiet").exit_code == 0


def test_embed_and_explain_follow_the_rule(broken: list[Path], tmp_path: Path):
    run, source = tiny.world().run, broken[0].parent
    with pytest.raises(
        DataError, match=r"none of the 2 pictures could be read; .*items.parquet says"
    ):
        saccade.embed(run, source, tmp_path.parent / "vectors", is_quiet=True)
    with pytest.raises(DataError, match="none of the 2 pictures could be read; `saccade predict`"):
        saccade.explain(run, broken, tmp_path / "looked", is_quiet=True)
