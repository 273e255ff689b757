"""A table has a row per picture in input order, says the same in each format, and is whole."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import saccade
from saccade.errors import SaccadeError, UsageError
from saccade.jobs.classify.job import ClassifyJob
from saccade.verbs.predict import rows
from saccade.verbs.table import ROWS_AT_A_TIME, table_writer
from tests import trusted
from tests.tiny import World

KEYS = ["path", "label", "probability", "top_labels", "top_probabilities", "refused", "error"]


@pytest.fixture
def inputs(world: World, tmp_path: Path) -> list[Path]:
    """A good picture, a broken one, a file that is no picture, and a folder of two."""
    folder = tmp_path / "inputs"
    (folder / "more").mkdir(parents=True)
    good = world.source / "apple" / "000.png"
    for name in ("a.png", "b.png", "more/1.png", "more/2.png"):
        shutil.copy(good, folder / name)
    (folder / "b.png").write_bytes(good.read_bytes()[:50])
    (folder / 'notes, "quoted".txt').write_text("no picture")
    return [folder / "b.png", folder / "more", folder / 'notes, "quoted".txt', folder / "a.png"]


def read(path: Path) -> list[dict[str, Any]]:
    """Any of the tables as plain rows."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        for name in ("top_labels", "top_probabilities"):
            row[name] = json.loads(row[name])
        row["probability"] = float(row["probability"]) if row["probability"] else None
        for name in ("label", "refused", "error"):
            row[name] = row[name] or None
    return found


def approx(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose numbers may differ as float32 differs from its text."""
    return [
        {
            **row,
            "probability": row["probability"] and pytest.approx(row["probability"], rel=1e-6),
            "top_probabilities": pytest.approx(row["top_probabilities"], rel=1e-6),
        }
        for row in found
    ]


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_every_format_says_the_same(world: World, tmp_path: Path, inputs: list[Path], ending: str):
    result = saccade.predict(
        world.run, inputs, tmp_path / f"table{ending}", device="cpu", is_quiet=True
    )
    expected = list(rows(world.run, inputs, device="cpu"))
    found = read(tmp_path / f"table{ending}")
    assert found == approx(expected)
    assert all(list(row) == KEYS for row in found)
    assert (result.n, result.num_errors) == (5, 2)
    assert sum(result.labels.values()) == 3


def test_rows_are_in_input_order_with_errors_in_their_place(world: World, inputs: list[Path]):
    found = list(rows(world.run, inputs, device="cpu"))
    assert [Path(row["path"]).name for row in found] == [
        "b.png",
        "1.png",
        "2.png",
        'notes, "quoted".txt',
        "a.png",
    ]
    assert [row["error"] is None for row in found] == [False, True, True, False, True]
    assert all(list(row) == KEYS for row in found)
    for row in found:
        if row["error"] is None:
            assert row["label"] == row["top_labels"][0]
            assert row["probability"] == row["top_probabilities"][0]
            assert row["top_probabilities"] == sorted(row["top_probabilities"], reverse=True)
            assert sorted(row["top_labels"]) == ["apple", "leaf", "sky"]
        else:
            assert row["label"] is None
            assert row["top_labels"] == []


def test_a_table_that_exists_is_refused_and_untouched(world: World, tmp_path: Path):
    out = tmp_path / "table.csv"
    out.write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"):
        saccade.predict(world.run, world.source, out, device="cpu", is_quiet=True)
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("table.xlsx", "ending '.xlsx'"),
        ("table.json", "did you mean '.jsonl'"),
        ("table", "ending ''"),
        ("nowhere/table.csv", "nowhere does not exist"),
    ],
)
def test_a_table_that_cannot_be_is_refused(world: World, tmp_path: Path, name: str, says: str):
    with pytest.raises(UsageError, match=says):
        saccade.predict(world.run, world.source, tmp_path / name, device="cpu", is_quiet=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_after_an_error_nothing_is_left(world: World, tmp_path: Path, ending: str):
    with pytest.raises(UsageError):
        saccade.predict(
            world.run,
            tmp_path / "missing.png",
            tmp_path / f"t{ending}",
            device="cpu",
            is_quiet=True,
        )
    with (
        pytest.raises(ZeroDivisionError),
        table_writer(tmp_path / f"t{ending}", ClassifyJob.schema) as write,
    ):
        write(dict.fromkeys(KEYS) | {"path": 1 / 0})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_a_full_disk_is_one_clear_error_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with (
        pytest.raises(SaccadeError, match=r"could not write .*No space left.*nothing was left"),
        table_writer(tmp_path / f"t{ending}", ClassifyJob.schema) as write,
    ):
        write(dict.fromkeys(KEYS) | {"path": "x", "top_labels": [], "top_probabilities": []})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize("count", [0, 1, ROWS_AT_A_TIME, ROWS_AT_A_TIME + 1])
def test_tables_of_any_length_are_complete(tmp_path: Path, ending: str, count: int):
    row = {
        "path": 'ä,\n"b".png',
        "label": "猫",
        "probability": 0.5,
        "top_labels": ["猫", "x"],
        "top_probabilities": [0.5, 0.25],
        "refused": None,
        "error": None,
    }
    with table_writer(tmp_path / f"t{ending}", ClassifyJob.schema) as write:
        for _ in range(count):
            write(row)
        assert not (tmp_path / f"t{ending}").exists()
    assert read(tmp_path / f"t{ending}") == [row] * count
    assert ClassifyJob.schema.names == KEYS


def test_answers_about_other_things_are_refused_with_the_reason_in_the_row(tmp_path: Path):
    world = trusted.world()
    found = saccade.predict(
        world.run, [world.more, world.others], tmp_path / "t.csv", reject=0.05, is_quiet=True
    )
    table = read(tmp_path / "t.csv")
    known, others = table[:60], table[60:]
    assert all((row["refused"] or "").startswith("unlike the pictures") for row in others)
    assert all(row["label"] for row in others)  # the answer stays
    assert sum(row["refused"] is not None for row in known) <= 9  # of 60, at most 3 on average
    assert found.num_refused == sum(row["refused"] is not None for row in table)


def test_who_does_not_ask_is_not_refused_and_views_change_the_numbers(tmp_path: Path):
    world = trusted.world()
    plain = list(rows(world.run, [world.others], is_quiet=True))
    assert {row["refused"] for row in plain} == {None}
    seen = list(rows(world.run, [world.others], views=4, is_quiet=True))
    assert [row["probability"] for row in seen] != [row["probability"] for row in plain]


def test_refusing_needs_a_record_of_held_out_pictures_and_classes(world: World):
    with pytest.raises(UsageError, match=r"no record of held-out pictures.*--resume"):
        list(rows(world.run, [world.source], reject=0.05, is_quiet=True))
    with pytest.raises(UsageError, match=r"'knnn'.*knn"):
        list(rows(trusted.world().run, [world.source], reject=0.1, reject_by="knnn", is_quiet=True))
    with pytest.raises(UsageError, match="1 to"):
        list(rows(world.run, [world.source], views=99, is_quiet=True))
