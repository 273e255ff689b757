"""Two folders are found and matched by name, wherever the splits stand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.formats.twins import find_twins, read_split_file, settle_splits, split_in
from saccade.data.listing import list_folder
from saccade.errors import DataError

WritePictures = Callable[..., None]
NAMES = [("images", "masks"), ("a", "b")]


def pairs(root: Path) -> list[tuple[str, str, str]]:
    twins = find_twins(list_folder(root), NAMES)
    assert twins is not None
    return [tuple(each) for each in twins.pairs]


def test_pictures_of_the_same_name_belong_together(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("images/1.jpg", "masks/1.png", "images/2.jpg", "masks/3.png")
    twins = find_twins(list_folder(tmp_path), NAMES)
    assert twins is not None
    assert [tuple(each) for each in twins.pairs] == [("images/1.jpg", "masks/1.png", "all")]
    assert twins.lonely == (["images/2.jpg"], ["masks/3.png"])
    assert twins.folders == ("images", "masks")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("images/{}/1.jpg", "masks/{}/1.png"),
        ("{}/images/1.jpg", "{}/masks/1.png"),
        ("data/{}/Images/1.jpg", "data/{}/Masks/1.png"),
        ("{}/A/deep/1.jpg", "{}/B/deep/1.png"),
    ],
)
def test_splits_may_stand_above_or_below(
    tmp_path: Path, write_pictures: WritePictures, first: str, second: str
):
    for split in ("train", "test"):
        write_pictures(first.format(split), second.format(split))
    assert sorted(pairs(tmp_path)) == [
        (first.format(split), second.format(split), split) for split in ("test", "train")
    ]


def test_one_split_may_have_two_names(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("images/training/1.jpg", "masks/train/1.png")
    assert pairs(tmp_path) == [("images/training/1.jpg", "masks/train/1.png", "train")]


def test_the_same_name_in_two_splits_is_two_pictures(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("train/a/1.png", "train/b/1.png", "test/a/1.png")
    twins = find_twins(list_folder(tmp_path), NAMES)
    assert twins is not None
    assert [each.first for each in twins.pairs] == ["train/a/1.png"]
    assert twins.lonely == (["test/a/1.png"], [])


def test_a_mask_may_have_an_ending(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("images/1.jpg", "masks/1_mask.png")
    twins = find_twins(list_folder(tmp_path), NAMES, endings=("_mask",))
    assert twins is not None
    assert len(twins.pairs) == 1


def test_one_folder_is_no_pair(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("images/1.jpg", "other/1.png")
    assert find_twins(list_folder(tmp_path), NAMES) is None


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train/1.png", "train"),
        ("a/val2017/1.png", "val"),
        ("train.png", "all"),
        ("x/1.png", "all"),
    ],
)
def test_a_folder_says_the_split(name: str, split: str):
    assert split_in(name) == split


def test_where_some_are_in_a_split_the_others_are_left_out():
    splits, ignored = settle_splits([("a", "train"), ("b", "all")])
    assert splits == {"train"}
    assert [tuple(each) for each in ignored] == [("b", "outside the split folders")]
    assert settle_splits([("a", "all")]) == ({"all"}, [])


def test_a_table_gives_the_splits(tmp_path: Path):
    (tmp_path / "index.csv").write_text("id,width,split\nx/1.png,9,train\n2,9,validation\n")
    assert read_split_file(tmp_path, "") == ({"1": "train", "2": "val"}, "index.csv")


def test_a_table_without_that_column_is_passed_over(tmp_path: Path):
    (tmp_path / "index.csv").write_text("id,width\n1,9\n")
    assert read_split_file(tmp_path, "") == ({}, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,split\n1,train\n2,some\n", "index.csv, line 3: the split 'some' is none; expected"),
        ("id,split\n1,train\n1,test\n", "line 3: 1 is in train already"),
    ],
)
def test_a_table_that_says_something_else_is_refused(tmp_path: Path, text: str, message: str):
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_split_file(tmp_path, "")


def test_two_pictures_of_one_name_are_told(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("images/1.jpg", "images/1.png", "masks/1.png")
    twins = find_twins(list_folder(tmp_path), NAMES)
    assert twins is not None
    assert [tuple(each) for each in twins.pairs] == [("images/1.jpg", "masks/1.png", "all")]
    assert twins.twice == ["images/1.png"]
