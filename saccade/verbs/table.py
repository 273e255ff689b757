"""Rows into a Parquet, CSV or JSONL file that appears when it is complete."""

import csv
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from saccade.errors import SaccadeError, UsageError, nearest

Row = dict[str, Any]

ENDINGS = (".parquet", ".csv", ".jsonl")

ROWS_AT_A_TIME = 1024


class _Format(Protocol):
    """One kind of table."""

    def write(self, rows: list[Row]) -> None: ...

    def close(self) -> None: ...


def check_table(path: Path) -> None:
    """Checks that a table can be written, before any work is done for it.

    Raises:
        UsageError: it exists, its folder does not, or its ending is unknown.
    """
    if path.suffix not in ENDINGS:
        raise UsageError(
            f"{path} has the ending {path.suffix!r}, which no table has; "
            f"{nearest(path.suffix, ENDINGS)}"
        )
    if path.exists():
        raise UsageError(f"{path} exists already and is never overwritten; choose another --out")
    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} does not exist; make it first")


@contextmanager
def table_writer(path: Path, schema: pa.Schema) -> Iterator[Callable[[Row], None]]:
    """A function that takes rows one at a time.

    They go to a file beside ``path`` that takes its name at the end, so a table that is there is
    whole; after an error nothing is left behind.

    Args:
        path: ends in ``.parquet``, ``.csv`` or ``.jsonl``.
        schema: the columns of a row.

    Raises:
        UsageError: the table exists, its folder does not, or its ending is unknown.
        SaccadeError: the disk is full, or the like.
    """
    check_table(path)
    formats = {".parquet": _Parquet, ".csv": _Csv, ".jsonl": _Jsonl}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    waiting: list[Row] = []

    def write(row: Row) -> None:
        waiting.append(row)
        if len(waiting) >= ROWS_AT_A_TIME:
            table.write(waiting)
            waiting.clear()

    try:
        table: _Format = formats[path.suffix](temporary, schema)
        try:
            yield write
            table.write(waiting)
        finally:
            table.close()
        temporary.rename(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SaccadeError(f"could not write {path}: {reason}; nothing was left behind") from error
    finally:
        temporary.unlink(missing_ok=True)


class _Parquet:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema)

    def write(self, rows: list[Row]) -> None:
        if rows:
            self._writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class _Csv:
    """Lists are JSON inside their cell; what is not known is an empty cell."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._file, schema.names)
        self._writer.writeheader()

    def write(self, rows: list[Row]) -> None:
        for row in rows:
            self._writer.writerow({key: _cell(value) for key, value in row.items()})

    def close(self) -> None:
        self._file.close()


class _Jsonl:
    def __init__(self, path: Path, schema: pa.Schema) -> None:  # noqa: ARG002  a line names its own
        self._file = path.open("w", encoding="utf-8")

    def write(self, rows: list[Row]) -> None:
        for row in rows:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
