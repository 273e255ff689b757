"""Vectors written in parts are one plain array, also when there are none."""

from pathlib import Path

import numpy as np
import pytest

from saccade.errors import DataError
from saccade.serving.search.rows import open_rows, write_rows


@pytest.mark.parametrize("sizes", [(), (0,), (3,), (2, 0, 5)])
def test_parts_become_one_array_that_numpy_reads(sizes: tuple[int, ...], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(size, 4)).astype(np.float32) for size in sizes]

    write_rows(tmp_path / "rows.npy", iter(parts), width=4)

    expected = np.concatenate([np.empty((0, 4), np.float32), *parts])
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)
    np.testing.assert_array_equal(open_rows(tmp_path / "rows.npy"), expected)


def test_columns_in_another_order_in_memory_are_written_right(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T

    write_rows(tmp_path / "rows.npy", [array], width=2)

    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), array)


def test_a_file_that_is_missing_cut_off_or_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.npy"):
        open_rows(tmp_path / "none.npy")

    path = tmp_path / "rows.npy"
    write_rows(path, [np.zeros((50, 3), np.float32)], width=3)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match=r"rows\.npy"):
        open_rows(path)

    np.save(path, np.zeros((2, 3)))
    with pytest.raises(DataError, match="float64 of shape"):
        open_rows(path)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"rows\.npy"):
        open_rows(path)
