"""The table beside the vectors is read back as it was written, or said to be damaged."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saccade.errors import DataError
from saccade.serving.search.items import ITEMS, read_items, write_items


def table(*paths: str) -> pa.Table:
    rows = [{"path": path, "label": None, "content": "c", "error": None} for path in paths]
    return pa.Table.from_pylist(rows, schema=ITEMS)


def test_tables_are_written_one_below_the_other(tmp_path: Path) -> None:
    write_items(tmp_path / "items.parquet", [table("a", "b"), table("c")])

    assert read_items(tmp_path / "items.parquet")["path"].to_pylist() == ["a", "b", "c"]


def test_no_table_at_all_is_an_empty_one(tmp_path: Path) -> None:
    write_items(tmp_path / "items.parquet", [])

    assert read_items(tmp_path / "items.parquet").schema.names == ITEMS.names


def test_missing_damaged_and_strange_tables_are_named(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    with pytest.raises(DataError, match=r"items\.parquet"):
        read_items(path)
    path.write_bytes(b"no table")
    with pytest.raises(DataError, match=r"items\.parquet"):
        read_items(path)
    pq.write_table(pa.table({"path": ["a"]}), path)
    with pytest.raises(DataError, match="lacks the columns label, content, error"):
        read_items(path)
