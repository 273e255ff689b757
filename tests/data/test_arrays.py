"""Array files are read exactly, or refused with what is wrong; none of them can run code."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from saccade.data.arrays import is_idx_images, read_idx, read_idx_files, read_npz
from saccade.errors import DataError

IMAGES = np.random.default_rng(0).integers(256, size=(6, 5, 4), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2], dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array)
    )


def write_idx(folder: Path, prefix: str, *, ending: str = "") -> Path:
    write = gzip.compress if ending == ".gz" else bytes
    images = folder / f"{prefix}-images-idx3-ubyte{ending}"
    images.write_bytes(write(idx(IMAGES)))
    (folder / f"{prefix}-labels-idx1-ubyte{ending}").write_bytes(write(idx(LABELS)))
    return images


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(path, allow_pickle=True, **arrays)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_files_come_back_exactly(tmp_path: Path, ending: str):
    files = [write_idx(tmp_path, prefix, ending=ending) for prefix in ("t10k", "train")]
    splits, class_names = read_idx_files(files)
    assert list(splits) == ["train", "test"]
    assert class_names is None
    for images, labels in splits.values():
        assert (images[..., 0] == IMAGES).all()
        assert labels is not None
        assert labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize(
    ("prefix", "split"), [("emnist-letters-train", "train"), ("dev", "val"), ("digits", "all")]
)
def test_the_word_before_images_names_the_split(tmp_path: Path, prefix: str, split: str):
    path = write_idx(tmp_path, prefix)
    assert is_idx_images(path.name)
    assert list(read_idx_files([path]).splits) == [split]


def test_a_gzipped_twin_is_passed_over(tmp_path: Path):
    files = [write_idx(tmp_path, "train", ending=ending) for ending in (".gz", "")]
    assert len(read_idx_files(files).splits["train"].images) == 6


def test_two_sets_in_one_folder_are_refused(tmp_path: Path):
    files = [write_idx(tmp_path, f"{name}-train") for name in ("letters", "digits")]
    with pytest.raises(DataError, match="two files hold train pictures"):
        read_idx_files(files)


def test_idx_pictures_without_labels_have_none(tmp_path: Path):
    path = write_idx(tmp_path, "train")
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    assert read_idx_files([path]).splits["train"].labels is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (idx(IMAGES)[:-1], "promises 120 bytes, it holds 119"),
        (idx(IMAGES) + b"x", "promises 120 bytes, it holds more"),
        (idx(IMAGES)[:9], "promises"),
        (b"\0\0\x0d\x01", "not an IDX file of bytes"),
        (b"", "not an IDX file of bytes"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "promises"),
    ],
)
def test_damaged_idx_files_are_refused(tmp_path: Path, data: bytes, reason: str):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(DataError, match=reason):
        read_idx(path)


def test_damaged_gzip_is_refused(tmp_path: Path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(IMAGES))[:-12])
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(path)


@pytest.mark.parametrize(
    ("sizes", "num_bytes", "reason"),
    [
        ((1, 30, 30), 500, "promises 900 bytes, it holds 484"),
        ((100, 28, 28), 30_000_000, "promises 78,400 bytes, it holds more"),
        ((2**31, 1000, 1000), 30_000_000, "no more than 4,294,967,296 are unpacked"),
        ((60_000, 28, 28), 20, "47,040,000 bytes from 34 packed ones; gzip packs up to 1,032"),
    ],
    ids=["less", "more", "too much", "impossible"],
)
def test_a_gzipped_file_takes_no_more_memory_than_it_promises_and_can_hold(
    tmp_path: Path, sizes: tuple[int, ...], num_bytes: int, reason: str
):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    head = bytes([0, 0, 8, 3]) + struct.pack(">3I", *sizes)
    path.write_bytes(gzip.compress(head + bytes(num_bytes - len(head))))
    tracemalloc.start()
    with pytest.raises(DataError, match=reason):
        read_idx(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2**21


@pytest.mark.parametrize(
    "keys",
    [
        {"x_train": "y_train", "x_test": "y_test"},
        {"train_images": "train_labels", "test_images": "test_labels"},
        {"X_train": "Y_train", "images_testing": "targets_testing"},
    ],
)
def test_npz_splits_go_by_many_names(tmp_path: Path, keys: dict[str, str]):
    path = tmp_path / "data.npz"
    write_npz(path, dict.fromkeys(keys, IMAGES) | dict.fromkeys(keys.values(), LABELS[:, None]))
    splits = read_npz(path).splits
    assert list(splits) == ["train", "test"]
    for images, labels in splits.values():
        assert (images[..., 0] == IMAGES).all()
        assert labels is not None
        assert labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize(
    ("images", "labels"), [("images", "labels"), ("x", "y"), ("data", "target")]
)
def test_npz_without_splits_is_all(tmp_path: Path, images: str, labels: str):
    path = tmp_path / "data.npz"
    colour = np.repeat(IMAGES[..., None], 3, axis=-1)
    names = np.array(["red", "green", "blue"])
    write_npz(path, {images: colour, labels: LABELS.astype(float), "class_names": names})
    splits, class_names = read_npz(path)
    assert list(splits) == ["all"]
    assert (splits["all"].images == colour).all()
    assert class_names == ("red", "green", "blue")


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"images": IMAGES / 255.0}, r"pixels are float64, expected uint8.*astype\('uint8'\)"),
        ({"images": IMAGES[0]}, r"shape is \(5, 4\)"),
        ({"images": np.zeros((2, 3, 8, 8), dtype=np.uint8)}, r"shape is \(2, 3, 8, 8\)"),
        ({"images": IMAGES[:0]}, "shape is"),
        ({"images": IMAGES, "labels": LABELS[:5]}, "6 pictures, but the labels are 5"),
        ({"images": IMAGES, "labels": LABELS - 1.0}, "one whole number of at least 0"),
        ({"images": IMAGES, "labels": LABELS + 0.5}, "one whole number of at least 0"),
        ({"images": IMAGES, "labels": np.array(["a"] * 6)}, "one whole number of at least 0"),
        ({"images": IMAGES, "labels": LABELS * np.nan}, "one whole number of at least 0"),
        (
            {"images": IMAGES, "labels": LABELS, "class_names": np.array(["a", "a", "b"])},
            r"two of its class_names are equal \(a, a, b\)",
        ),
        ({"weights": IMAGES}, r"no pictures in its arrays \(weights\)"),
        ({}, "it has none"),
        ({"images": np.array([print], dtype=object)}, "without running code"),
    ],
)
def test_other_npz_files_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], reason: str):
    path = tmp_path / "data.npz"
    write_npz(path, arrays)
    with pytest.raises(DataError, match=reason):
        read_npz(path)


def test_a_single_array_is_refused(tmp_path: Path):
    path = tmp_path / "data.npz"
    with path.open("wb") as file:
        np.save(file, IMAGES)
    with pytest.raises(DataError, match="a single array"):
        read_npz(path)


def test_a_damaged_npz_is_refused(tmp_path: Path):
    path = tmp_path / "data.npz"
    np.savez(path, images=IMAGES)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="cannot be read as npz"):
        read_npz(path)
