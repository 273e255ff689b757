"""Nothing is overwritten, and a file is there whole or not at all."""

import errno
import json
import os
from pathlib import Path

import pytest

from saccade.errors import SaccadeError, UsageError
from saccade.run.folder import RunFolder, read_json, refuse_taken, write_atomic, write_json


def test_a_missing_and_an_empty_folder_may_be_used(tmp_path: Path):
    RunFolder(tmp_path / "new").refuse_existing()
    (tmp_path / "empty").mkdir()
    RunFolder(tmp_path / "empty").create({})
    RunFolder(tmp_path / "deep" / "er").create({})
    assert (tmp_path / "deep" / "er").is_dir()


def test_a_folder_appears_with_its_first_files_or_not_at_all(tmp_path: Path):
    folder = RunFolder(tmp_path / "run")
    folder.create({folder.config: {"seed": 0}, folder.contract: {"job": "classify"}})
    assert read_json(folder.config) == {"seed": 0}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]

    other = RunFolder(tmp_path / "other")
    with pytest.raises(TypeError):
        other.create({other.config: {"seed": object()}})
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("entry", ["notes.txt", ".hidden"])
def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path, entry: str):
    (tmp_path / entry).write_text("mine")
    folder = RunFolder(tmp_path)
    for check in (folder.refuse_existing, lambda: folder.create({})):
        with pytest.raises(UsageError, match=r"never overwritten.*--resume"):
            check()
    assert (tmp_path / entry).read_text() == "mine"


def test_a_file_in_the_way_is_refused(tmp_path: Path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        RunFolder(tmp_path / "run").create({})
    with pytest.raises(UsageError, match="cannot make the folder"):
        RunFolder(tmp_path / "run" / "below").create({})
    assert (tmp_path / "run").read_text() == "mine"


def test_only_a_folder_with_a_contract_is_a_run(tmp_path: Path):
    with pytest.raises(UsageError, match="no run folder"):
        RunFolder(tmp_path / "missing").require()
    with pytest.raises(UsageError, match=r"not a run folder.*contract\.json"):
        RunFolder(tmp_path).require()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "contract.json").write_text("{}")
    with pytest.raises(UsageError, match=r"no contract\.json; it holds .*/run: give that"):
        RunFolder(tmp_path).require()
    (tmp_path / "contract.json").write_text("{}")
    RunFolder(tmp_path).require()


def test_an_atomic_write_replaces_the_file_and_leaves_nothing_else(tmp_path: Path):
    path = tmp_path / "weights"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights"]


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "open"), (Path, "replace")])
def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
):
    path = tmp_path / "weights"
    write_atomic(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights"]


def test_json_round_trip_keeps_floats_and_letters(tmp_path: Path):
    data = {"name": "naïve 猫", "value": 0.1 + 0.2, "none": None, "list": [1, 2]}
    write_json(tmp_path / "x.json", data)
    assert read_json(tmp_path / "x.json") == data
    assert "猫" in (tmp_path / "x.json").read_text(encoding="utf-8")


def test_missing_and_damaged_json_are_named(tmp_path: Path):
    with pytest.raises(UsageError, match=r"config\.json is missing"):
        read_json(tmp_path / "config.json")
    (tmp_path / "config.json").write_text(json.dumps({"a": 1})[:-3])
    with pytest.raises(UsageError, match=r"config\.json is not readable as JSON"):
        read_json(tmp_path / "config.json")
    (tmp_path / "config.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"config\.json is not readable as JSON"):
        read_json(tmp_path / "config.json")


def test_room_is_asked_for_only_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(number: int) -> None:
        def write(path: Path, content: bytes) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("saccade.run.folder.write_atomic", write)

    folder = RunFolder(tmp_path / "run")
    fail(errno.ENOSPC)
    with pytest.raises(SaccadeError, match="No space left on device; make room"):
        folder.create({folder.config: {}})
    fail(errno.EROFS)
    with pytest.raises(SaccadeError, match="Read-only file system; choose another --out"):
        folder.create({folder.config: {}})
    assert list(tmp_path.iterdir()) == []


def test_what_is_taken_is_refused_by_the_option_that_named_it(tmp_path: Path):
    refuse_taken(tmp_path / "new")
    refuse_taken(tmp_path)
    (tmp_path / "mine").write_text("")
    for path in (tmp_path, tmp_path / "mine"):
        with pytest.raises(UsageError, match=r"never overwritten; choose another --draw$"):
            refuse_taken(path, option="--draw")
