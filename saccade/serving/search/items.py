"""What is known about each vector, as columns of a Parquet file."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from saccade.errors import DataError

ITEMS = pa.schema(
    [
        ("path", pa.string()),  # below the source
        ("label", pa.string()),  # the name of its class, where the source has classes
        ("content", pa.string()),  # equal for exact copies
        ("error", pa.string()),  # why there is no vector; empty where there is one
    ]
)


def read_items(path: Path) -> pa.Table:
    """The table.

    Raises:
        DataError: it is missing, damaged, or has other columns.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} cannot be read ({error}); restore it") from None
    missing = [name for name in ITEMS.names if name not in table.column_names]
    if missing:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}")
    return table


def write_items(path: Path, tables: Sequence[pa.Table]) -> None:
    """Writes tables one below the other, over whatever is there."""
    with pq.ParquetWriter(path, ITEMS) as writer:
        for table in tables:
            writer.write_table(table)
