"""Whatever a person points at is recognised and said, or refused with what to do."""

import gzip
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.layout import Layout, Member
from saccade.data.pictures import PictureFiles
from saccade.data.sources import labelled, open_pictures, open_source, split_by_layout
from saccade.errors import DataError, UsageError

WritePictures = Callable[..., None]
IMAGES = np.zeros((4, 6, 5), dtype=np.uint8)


def write_idx(folder: Path, prefix: str, labels: list[int]) -> None:
    images = np.zeros((len(labels), 6, 5), dtype=np.uint8)
    arrays = {"images-idx3": images, "labels-idx1": np.array(labels, dtype=np.uint8)}
    for kind, array in arrays.items():
        head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        data = gzip.compress(head + array.tobytes())
        (folder / f"{prefix}-{kind}-ubyte.gz").write_bytes(data)


def test_a_class_folder_gives_names_labels_and_an_order(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures("10/b.png", "2/a.png", "2/c.png")
    source = labelled(open_source(tmp_path))
    samples = source.splits["all"]
    assert source.kind == "class folder"
    assert source.path == str(tmp_path)
    assert source.class_names == ("2", "10")
    assert samples.names() == ["2/a.png", "2/c.png", "10/b.png"]
    assert samples.labels is not None
    assert samples.labels.tolist() == [0, 0, 1]
    assert samples.pictures.load(2, channels=3, min_side=None).shape == (7, 9, 3)


def test_splits_share_their_pictures_and_class_names(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("train/dog/1.png", "train/cat/2.png", "val/dog/3.png", "val/extra.png")
    source = open_source(tmp_path)
    train, val = source.splits["train"], source.splits["val"]
    assert source.class_names == ("cat", "dog")
    assert train.labels is not None
    assert val.labels is not None
    assert (train.labels.tolist(), val.labels.tolist()) == ([0, 1], [1])
    assert train.pictures is val.pictures
    assert not set(train.ids) & set(val.ids)
    assert val.names() == ["val/dog/3.png"]
    assert "val/extra.png" in {entry.name for entry in source.ignored}


def test_splits_of_a_layout_are_numbered_in_the_order_of_its_names():
    train = (Member("train/b/1", "b"), Member("train/a/1", "a"))
    layout = Layout(
        kind="", splits={"train": train, "test": (Member("test/b/2", "b"),)}, notes=(), ignored=()
    )
    pictures = PictureFiles(Path(), layout.names())
    class_names, splits = split_by_layout("given", layout, pictures)
    assert class_names == ("a", "b")
    assert splits["test"].names() == ["test/b/2"]
    labels = [each.labels for each in splits.values() if each.labels is not None]
    assert [each.tolist() for each in labels] == [[1, 0], [1]]

    flat = replace(layout, splits={"all": (Member("1", None),)})
    class_names, splits = split_by_layout("given", flat, PictureFiles(Path(), flat.names()))
    assert class_names is splits["all"].labels is None


def test_classes_that_train_lacks_are_refused_with_both_lists(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures("train/dog/1.png", "train/cat/2.png", "test/Dog/3.png", "test/cat/4.png")
    with pytest.raises(DataError, match=r"test has classes that train lacks: Dog\. .* cat, dog"):
        open_source(tmp_path)


def test_a_test_split_may_lack_classes(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("train/dog/1.png", "train/cat/2.png", "test/dog/3.png")
    assert open_source(tmp_path).class_names == ("cat", "dog")


def test_a_flat_folder_has_no_labels(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("b.png", "a.png")
    source = open_source(tmp_path)
    assert source.kind == "flat folder"
    assert source.class_names is None
    assert source.splits["all"].labels is None
    with pytest.raises(DataError, match=r"\(flat folder\) is without labels\. Put the pictures"):
        labelled(source)


def test_one_class_is_refused_only_where_labels_are_needed(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures("cat/1.png")
    source = open_source(tmp_path)
    assert source.class_names == ("cat",)
    with pytest.raises(DataError, match=r"has one class only \(cat\)"):
        labelled(source)


def test_one_picture_is_a_source(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.png")
    source = open_source(tmp_path / "a.png")
    assert source.kind == "picture"
    assert source.splits["all"].names() == ["a.png"]
    assert source.splits["all"].pictures.header(0).width == 9


def test_idx_folders_give_numbered_classes(tmp_path: Path):
    folder = tmp_path / "raw"
    folder.mkdir()
    write_idx(folder, "train", [3, 1, 10, 1])
    write_idx(folder, "t10k", [10])
    for path in (folder, tmp_path):
        source = labelled(open_source(path))
        assert source.kind == "IDX arrays"
        assert source.class_names == ("1", "3", "10")
        assert list(source.splits) == ["train", "test"]
        assert source.splits["train"].labels is not None
        assert source.splits["train"].labels.tolist() == [1, 0, 2, 0]
        assert source.splits["test"].names() == ["test#0"]


def test_an_idx_file_stands_for_itself_and_its_labels(tmp_path: Path):
    write_idx(tmp_path, "train", [0, 1])
    write_idx(tmp_path, "t10k", [1])
    source = open_source(tmp_path / "t10k-images-idx3-ubyte.gz")
    assert list(source.splits) == ["test"]


def test_npz_names_its_classes_or_numbers_them(tmp_path: Path):
    labels = np.array([0, 2, 2, 0])
    path = tmp_path / "digits.npz"
    np.savez(path, images=IMAGES, labels=labels)
    assert open_source(path).class_names == ("0", "2")
    np.savez(path, images=IMAGES, labels=labels, class_names=np.array(["a", "b", "c"]))
    source = open_source(tmp_path)
    assert source.kind == "npz arrays"
    assert source.class_names == ("a", "b", "c")
    assert source.splits["all"].labels is not None
    assert source.splits["all"].labels.tolist() == labels.tolist()
    np.savez(path, images=IMAGES, labels=labels, class_names=np.array(["a", "b"]))
    with pytest.raises(DataError, match="labels go up to 2, but class_names has only 2 names"):
        open_source(path)


def test_arrays_without_labels_have_no_classes(tmp_path: Path):
    path = tmp_path / "pictures.npz"
    np.savez(path, x_train=IMAGES)
    assert open_source(path).class_names is None
    np.savez(path, x_train=IMAGES, y_train=np.arange(4), x_test=IMAGES)
    source = open_source(path)
    assert list(source.splits) == ["train"]
    assert [entry.name for entry in source.ignored] == ["test"]


def test_several_npz_files_are_too_many(tmp_path: Path):
    for name in ("a.npz", "b.npz"):
        np.savez(tmp_path / name, images=IMAGES)
    with pytest.raises(DataError, match=r"several npz files \(a.npz, b.npz\)"):
        open_source(tmp_path)


def test_a_missing_source_offers_its_neighbour(tmp_path: Path):
    (tmp_path / "flowers").mkdir()
    with pytest.raises(UsageError, match=r"does not exist; did you mean '.*flowers'\?"):
        open_source(tmp_path / "flower")
    with pytest.raises(UsageError, match="nor does the folder"):
        open_source(tmp_path / "nowhere" / "flowers")


def test_folders_without_pictures_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"is empty\. Files that end in \.jpg"):
        open_source(tmp_path)
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "a.txt").write_text("hello")
    with pytest.raises(
        DataError, match=r"no pictures found\. Files that end in \.jpg, .* are read"
    ):
        open_source(tmp_path)


def test_another_file_is_not_a_source(tmp_path: Path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(UsageError, match="not a source this reads"):
        open_source(tmp_path / "a.txt")


def test_pictures_to_predict_keep_their_order(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("z.png", "folder/10.png", "folder/deep/2.png", "folder/9.png", "a.png")
    (tmp_path / "folder" / "notes.txt").write_text("hello")
    samples = open_pictures([tmp_path / "z.png", tmp_path / "folder", str(tmp_path / "a.png")])
    names = ["z.png", "folder/9.png", "folder/10.png", "folder/deep/2.png", "a.png"]
    assert samples.names() == [(tmp_path / name).as_posix() for name in names]
    assert samples.labels is None
    assert samples.pictures.header(4).height == 7


def test_a_file_that_is_no_picture_is_kept_for_its_row(tmp_path: Path):
    (tmp_path / "a.txt").write_text("hello")
    samples = open_pictures([tmp_path / "a.txt"])
    with pytest.raises(UnreadablePicture, match="not a picture"):
        samples.pictures.load(0, channels=3, min_side=None)


def test_nothing_to_predict_is_refused(tmp_path: Path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match=r"did you mean .*photo\.jpg"):
        open_pictures([tmp_path / "phto.jpg"])
    with pytest.raises(UsageError, match="no pictures given"):
        open_pictures([])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures found"):
        open_pictures([tmp_path / "empty"])


def test_real_arrays_are_recognised(shared_data: Path):
    source = labelled(open_source(shared_data / "fashion-mnist"))
    assert {split: len(samples) for split, samples in source.splits.items()} == {
        "train": 60_000,
        "test": 10_000,
    }
    assert source.class_names == tuple("0123456789")


def test_a_real_archive_unpacked_is_recognised_and_read(shared_data: Path, tmp_path: Path):
    archive_path = shared_data / "sign_digits" / "sign_language_digits.zip"
    with zipfile.ZipFile(archive_path) as archive:
        pictures = [name for name in archive.namelist() if name.lower().endswith(".jpg")]
        archive.extractall(tmp_path, sorted(pictures)[::100])
    source = labelled(open_source(tmp_path))
    samples = source.splits["all"]
    assert source.class_names == tuple("0123456789")
    assert source.notes == ("everything is in Dataset/, so that is the source",)
    for i in samples.ids.tolist():
        picture = samples.pictures.load(i, channels=3, min_side=64)
        assert min(picture.shape[:2]) >= 64
