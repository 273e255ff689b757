"""The structure of a folder is understood the way a person would understand it."""

import pytest

from saccade.data.layout import Layout, class_name_of, find_layout
from saccade.data.listing import Listing, is_picture_name, natural_key
from saccade.errors import DataError


def layout(*names: str) -> Layout:
    """The layout of a folder with these files; names that end in / are folders."""
    files = sorted((name for name in names if not name.endswith("/")), key=natural_key)
    folders = {name.strip("/") for name in names if name.endswith("/")}
    for name in names:
        parts = name.strip("/").split("/")[:-1]
        folders |= {"/".join(parts[: i + 1]) for i in range(len(parts))}
    return find_layout(
        Listing(
            pictures=tuple(name for name in files if is_picture_name(name)),
            others=tuple(name for name in files if not is_picture_name(name)),
            folders=tuple(sorted(folders, key=natural_key)),
            ignored=(),
        )
    )


def classes(found: Layout) -> dict[str, list[tuple[str, str | None]]]:
    return {split: [tuple(each) for each in members] for split, members in found.splits.items()}


def ignored(found: Layout) -> dict[str, str]:
    return {entry.name: entry.reason for entry in found.ignored}


def test_folders_of_pictures_are_classes():
    found = layout("cat/1.jpg", "dog/sub/2.jpg", "dog/10.jpg")
    assert found.kind == "class folder"
    assert classes(found) == {
        "all": [("cat/1.jpg", "cat"), ("dog/10.jpg", "dog"), ("dog/sub/2.jpg", "dog")]
    }


def test_split_folders_go_by_many_names():
    found = layout(
        "Training/cat/1.jpg", "validation/cat/2.jpg", "TEST/cat/3.jpg", "Training/dog/4.jpg"
    )
    assert found.kind == "class folder with splits"
    assert classes(found) == {
        "train": [("Training/cat/1.jpg", "cat"), ("Training/dog/4.jpg", "dog")],
        "val": [("validation/cat/2.jpg", "cat")],
        "test": [("TEST/cat/3.jpg", "cat")],
    }
    assert set(found.notes) == {
        "Training is used as train",
        "validation is used as val",
        "TEST is used as test",
    }


def test_a_folder_that_wraps_everything_is_looked_through():
    found = layout("README.md", "a/Dataset/0/1.jpg", "a/Dataset/1/2.jpg")
    assert [each.class_name for each in found.splits["all"]] == ["0", "1"]
    assert found.notes == ("everything is in a/Dataset/, so that is the source",)


def test_a_single_train_folder_is_a_split_and_not_a_wrapper():
    found = layout("train/cat/1.jpg", "train/dog/2.jpg")
    assert list(found.splits) == ["train"]


def test_one_folder_of_pictures_is_one_class():
    assert classes(layout("cat/1.jpg")) == {"all": [("cat/1.jpg", "cat")]}


def test_a_class_may_be_called_train():
    found = layout("train/1.jpg", "bus/2.jpg", "plane/3.jpg")
    assert found.kind == "class folder"
    assert {each.class_name for each in found.splits["all"]} == {"train", "bus", "plane"}


def test_pictures_without_folders_are_flat():
    found = layout("b.jpg", "a.jpg", "deep/c.jpg")
    assert found.kind == "flat folder"
    assert classes(found) == {"all": [("a.jpg", None), ("b.jpg", None), ("deep/c.jpg", None)]}


def test_splits_without_classes_are_flat():
    found = layout("train/1.jpg", "test/2.jpg")
    assert found.kind == "flat folder with splits"
    assert classes(found) == {"train": [("train/1.jpg", None)], "test": [("test/2.jpg", None)]}


def test_what_does_not_fit_is_ignored_with_its_reason():
    found = layout("cat/1.jpg", "dog/2.jpg", "cover.jpg", "cat/list.txt", "empty/", "empty/deeper/")
    assert ignored(found) == {
        "cover.jpg": "outside the class folders",
        "cat/list.txt": "not a picture by its ending",
        "empty": "holds no pictures",
    }


def test_what_does_not_fit_beside_splits_is_ignored_with_its_reason():
    found = layout(
        *("train/cat/1.jpg", "train/2.jpg", "val/cat/3.jpg", "test/4.jpg", "extra/5.jpg", "6.jpg"),
        "train/empty/",
    )
    assert list(found.splits) == ["train", "val"]
    assert ignored(found) == {
        "train/2.jpg": "outside the class folders",
        "test": "without class folders, unlike the rest",
        "extra": "beside the split folders, but no split",
        "6.jpg": "outside the split folders",
        "train/empty": "holds no pictures",
    }


def test_two_folders_for_one_split_are_refused():
    with pytest.raises(DataError, match="two folders mean val: dev and valid"):
        layout("train/cat/1.jpg", "valid/cat/2.jpg", "dev/cat/3.jpg")


def test_class_names_are_the_same_text_on_every_system():
    assert class_name_of("Ka\u0308se") == "K\u00e4se"
    assert class_name_of(b"ni\xf1o".decode("utf-8", "surrogateescape")) == "ni\\udcf1o"
