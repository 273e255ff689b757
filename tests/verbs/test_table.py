"""A table says the same in each format, is there when it is complete, and takes nobody's place."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from saccade.errors import SaccadeError, UsageError
from saccade.jobs.classify.job import ClassifyJob
from saccade.verbs import table
from saccade.verbs.table import ROWS_AT_A_TIME, Row, table_writer

ENDINGS = [".parquet", ".csv", ".jsonl"]

ANSWER: Row = {
    "path": 'a "b",\nc\td.png',
    "label": "naïve 猫",
    "probability": 0.75,
    "top_labels": ["naïve 猫", "a, b", ""],
    "top_probabilities": [0.75, 0.125, 0.125],
    "refused": "unlike the others",
    "error": None,
}
FAILURE: Row = {
    "path": "broken.png",
    "label": None,
    "probability": None,
    "top_labels": [],
    "top_probabilities": [],
    "refused": None,
    "error": "cannot be decoded: 'half'",
}


def parquet(path: Path) -> list[Row]:
    return pq.read_table(path).to_pylist()


def jsonl(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def comma_separated(path: Path) -> list[Row]:
    """With the inverse of what a cell makes of lists, numbers and nothing."""
    with path.open(encoding="utf-8", newline="") as file:
        found: list[dict[str, Any]] = list(csv.DictReader(file))
    for row in found:
        for name in ("top_labels", "top_probabilities"):
            row[name] = json.loads(row[name])
        row["probability"] = float(row["probability"]) if row["probability"] else None
        for name in ("label", "refused", "error"):
            row[name] = row[name] or None
    return found


READERS = {".parquet": parquet, ".csv": comma_separated, ".jsonl": jsonl}


def write_all(path: Path, rows: list[Row]) -> list[Row]:
    with table_writer(path, ClassifyJob.schema) as write:
        for row in rows:
            write(row)
    return READERS[path.suffix](path)


@pytest.mark.parametrize("count", [0, 1, ROWS_AT_A_TIME - 1, ROWS_AT_A_TIME, ROWS_AT_A_TIME + 5])
def test_three_formats_say_the_same_and_what_was_given(tmp_path: Path, count: int):
    rows = [(ANSWER if k % 3 else FAILURE) | {"path": f"{k}.png"} for k in range(count)]
    assert [write_all(tmp_path / f"t{ending}", rows) for ending in ENDINGS] == [rows] * 3


@pytest.mark.parametrize("ending", ENDINGS)
def test_rows_with_quotes_line_breaks_and_other_alphabets_come_back(tmp_path: Path, ending: str):
    assert write_all(tmp_path / f"t{ending}", [ANSWER, FAILURE]) == [ANSWER, FAILURE]


def test_an_empty_parquet_table_still_has_its_columns(tmp_path: Path):
    write_all(tmp_path / "t.parquet", [])
    assert pq.read_schema(tmp_path / "t.parquet").names == ClassifyJob.schema.names
    assert pq.read_schema(tmp_path / "t.parquet").types == ClassifyJob.schema.types


def test_an_empty_csv_table_still_has_its_header(tmp_path: Path):
    write_all(tmp_path / "t.csv", [])
    assert (tmp_path / "t.csv").read_text().strip() == ",".join(ClassifyJob.schema.names)


def test_numbers_differ_between_formats_by_no_more_than_float32(tmp_path: Path):
    probability = 1 / 3
    rows = [ANSWER | {"probability": probability, "top_probabilities": [probability]}]
    for ending in ENDINGS:
        (row,) = write_all(tmp_path / f"t{ending}", rows)
        for number in (row["probability"], row["top_probabilities"][0]):
            assert np.float32(number) == np.float32(probability)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_table_appears_only_when_it_is_complete(tmp_path: Path, ending: str):
    path = tmp_path / f"t{ending}"
    with table_writer(path, ClassifyJob.schema) as write:
        for _ in range(ROWS_AT_A_TIME + 1):
            write(ANSWER)
        assert not path.exists()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("count", [0, 1, ROWS_AT_A_TIME + 1])
@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=repr)
def test_after_an_error_nothing_is_left_and_the_error_is_the_callers(
    tmp_path: Path, ending: str, count: int, error: BaseException
):
    def work() -> None:
        with table_writer(tmp_path / f"t{ending}", ClassifyJob.schema) as write:
            for _ in range(count):
                write(ANSWER)
            raise error

    with pytest.raises(type(error)) as caught:
        work()
    assert caught.value is error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_disk_that_fills_up_is_one_clear_error_and_nothing_is_left(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    kind = {".parquet": table._Parquet, ".csv": table._Csv, ".jsonl": table._Jsonl}[ending]
    monkeypatch.setattr(kind, "write", full)
    with pytest.raises(SaccadeError, match=r"could not write .*No space left.*nothing was left"):
        write_all(tmp_path / f"t{ending}", [ANSWER])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("make", [Path.touch, Path.mkdir], ids=["file", "folder"])
def test_what_is_there_is_refused_and_untouched(
    tmp_path: Path, ending: str, make: Callable[[Path], None]
):
    path = tmp_path / f"t{ending}"
    make(path)
    with pytest.raises(UsageError, match="exists already and is never overwritten"):
        write_all(path, [ANSWER])
    assert list(tmp_path.rglob("*")) == [path]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("t.parqet", r"ending '\.parqet'.*did you mean '\.parquet'"),
        ("t.CSV", r"ending '\.CSV'"),
        ("t", r"ending ''.*\.csv, \.jsonl, \.parquet"),
        ("nowhere/t.csv", r"nowhere does not exist; make it first"),
    ],
)
def test_a_table_that_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, name: str, says: str
):
    with pytest.raises(UsageError, match=says):
        write_all(tmp_path / name, [ANSWER])
    assert list(tmp_path.iterdir()) == []
