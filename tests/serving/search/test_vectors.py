"""A folder of vectors grows part by part, and what is there already is not asked for again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from saccade.errors import DataError, UsageError
from saccade.serving.search import vectors as module
from saccade.serving.search.vectors import Made, VectorFolder

MADE = Made(model="m" * 64, run="runs/a", pool="auto", source="photos", fingerprint="f" * 64)
N = 7


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_SIZE", 3)


def write(folder: VectorFolder, number: int) -> None:
    rows = range(3 * number, min(3 * number + 3, N))
    items = [
        {"path": f"{row}.png", "label": None, "content": "c", "error": "gone" if row == 4 else None}
        for row in rows
    ]
    folder.write_part(number, np.array([[row, -row] for row in rows], np.float32), items)


def begun(path: Path) -> VectorFolder:
    folder = VectorFolder(path / "out")
    folder.begin(MADE, n=N, embed_dim=2, is_resumed=False)
    return folder


def test_parts_become_one_array_and_one_table_row_by_row(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    for number in (2, 0, 1):
        write(folder, number)

    manifest = folder.finish()

    np.testing.assert_array_equal(np.load(folder.vectors), [[row, -row] for row in range(N)])
    paths = pq.read_table(folder.items)["path"].to_pylist()
    assert paths == [f"{row}.png" for row in range(N)]
    assert (manifest.n, manifest.embed_dim, manifest.num_errors) == (N, 2, 1)
    assert folder.require_complete() == manifest
    left = sorted(path.name for path in folder.path.iterdir())
    assert left == ["items.parquet", "manifest.json", "vectors.npy"]


def test_only_parts_that_are_not_there_are_missing(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    write(folder, 1)

    assert folder.missing_parts(N) == [0, 2]


def test_nothing_is_missing_from_a_complete_folder(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    for number in range(3):
        write(folder, number)
    folder.finish()

    assert folder.missing_parts(N) == []


def test_a_part_that_was_cut_short_is_missing(tmp_path: Path) -> None:
    """The table comes second, so vectors without one were not finished."""
    folder = begun(tmp_path)
    write(folder, 1)
    (folder.parts / "000001.parquet").unlink()

    assert folder.missing_parts(N) == [0, 1, 2]


def test_finishing_twice_changes_nothing(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    for number in range(3):
        write(folder, number)
    manifest = folder.finish()
    folder.parts.mkdir()  # a kill before they were thrown away

    assert folder.finish() == manifest
    assert not folder.parts.exists()


def test_an_existing_folder_is_refused_unless_it_is_resumed(tmp_path: Path) -> None:
    folder = begun(tmp_path)

    with pytest.raises(UsageError, match="exists already"):
        folder.begin(MADE, n=N, embed_dim=2, is_resumed=False)
    folder.begin(MADE, n=N, embed_dim=2, is_resumed=True)


def test_a_folder_that_is_not_there_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"manifest\.json is missing"):
        VectorFolder(tmp_path / "none").begin(MADE, n=N, embed_dim=2, is_resumed=True)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": "x" * 64}, "another model"),
        ({"pool": "gem"}, "another way to pool tokens"),
        ({"fingerprint": "y" * 64}, "another set of pictures"),
    ],
)
def test_work_that_was_begun_otherwise_is_not_continued(
    change: dict[str, str], word: str, tmp_path: Path
) -> None:
    folder = begun(tmp_path)

    with pytest.raises(UsageError, match=word):
        folder.begin(replace(MADE, **change), n=N, embed_dim=2, is_resumed=True)


def test_a_source_that_has_moved_is_continued(tmp_path: Path) -> None:
    begun(tmp_path).begin(replace(MADE, source="elsewhere"), n=N, embed_dim=2, is_resumed=True)


def test_an_unfinished_folder_is_not_complete(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not finished"):
        begun(tmp_path).require_complete()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    for number in range(3):
        write(folder, number)
    folder.finish()
    content = bytearray(folder.vectors.read_bytes())
    content[-1] ^= 1
    folder.vectors.write_bytes(bytes(content))

    with pytest.raises(DataError, match=r"vectors\.npy is damaged"):
        folder.require_complete()


def test_a_manifest_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    folder.manifest.write_text('{"n": 3}')

    with pytest.raises(UsageError, match="not a manifest of vectors"):
        folder.load()


def test_no_pictures_are_no_rows(tmp_path: Path) -> None:
    folder = VectorFolder(tmp_path / "out")
    folder.begin(MADE, n=0, embed_dim=5, is_resumed=False)

    assert folder.finish().n == 0
    assert np.load(folder.vectors).shape == (0, 5)
