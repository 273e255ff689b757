"""COCO files are found, matched with their pictures, and refused where they say too little."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saccade.data.formats.coco import Coco, find_coco, read_coco
from saccade.data.listing import list_folder
from saccade.errors import DataError

WritePictures = Callable[..., None]
CATEGORIES = [{"id": 7, "name": "dog", "supercategory": "animal"}, {"id": 3, "name": "cat"}]


def image(id: int | str, name: str) -> dict[str, Any]:  # noqa: A002  as COCO calls it
    return {"id": id, "file_name": name, "height": 7, "width": 9, "licence": 1}


def thing(image_id: int | str, category: int = 3) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": category, "bbox": [1, 2, 3, 4]}


def write(path: Path, images: list[Any], things: list[Any], categories: Any = CATEGORIES) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    world = {"images": images, "annotations": things, "categories": categories}
    path.write_text(json.dumps(world, indent=1))


def read(root: Path) -> Coco:
    listing = list_folder(root)
    return read_coco("given", root, listing, find_coco(root, listing))


def test_one_file_beside_the_pictures(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg", "b.jpg")
    write(tmp_path / "labels.json", [image(1, "b.jpg"), image("x", "a.jpg")], [thing("x", 7)])
    coco = read(tmp_path)
    assert coco.class_names == ("cat", "dog")
    assert [(each.name, each.split) for each in coco.pictures] == [
        ("b.jpg", "all"),
        ("a.jpg", "all"),
    ]
    assert [label for label, _ in coco.pictures[1].objects] == [1]
    assert coco.pictures[0].objects == []


@pytest.mark.parametrize(
    ("pictures", "files"),
    [
        ("{split}2017/1.jpg", "annotations/instances_{split}2017.json"),
        ("images/{split}/1.jpg", "annotations/instances_{split}.json"),
        ("{split}/1.jpg", "{split}/_annotations.coco.json"),
        ("data/{split}/1.jpg", "{split}.json"),
    ],
)
def test_the_usual_trees_are_understood(
    tmp_path: Path, write_pictures: WritePictures, pictures: str, files: str
):
    for split in ("train", "valid", "test"):
        write_pictures(pictures.format(split=split))
        write(tmp_path / files.format(split=split), [image(1, "1.jpg")], [thing(1)])
    coco = read(tmp_path)
    assert [(each.name, each.split) for each in coco.pictures] == [
        (pictures.format(split="train"), "train"),
        (pictures.format(split="valid"), "val"),
        (pictures.format(split="test"), "test"),
    ]
    assert coco.ignored == []


def test_captions_and_keypoints_beside_it_are_not_read(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures("train/1.jpg")
    write(tmp_path / "annotations" / "instances_train.json", [image(1, "1.jpg")], [thing(1)])
    write(tmp_path / "annotations" / "person_keypoints_train.json", [image(1, "1.jpg")], [])
    (tmp_path / "annotations" / "captions_train.json").write_text(
        '{"images": [], "annotations": []}'
    )
    assert list(find_coco(tmp_path, list_folder(tmp_path)).values()) == [
        "annotations/instances_train.json"
    ]


def test_json_of_another_kind_is_nothing(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    (tmp_path / "settings.json").write_text('{"images": 3}')
    assert find_coco(tmp_path, list_folder(tmp_path)) == {}


def test_pictures_that_are_not_there_and_objects_of_none_are_said(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures("a.jpg", "extra.jpg")
    write(tmp_path / "all.json", [image(1, "a.jpg"), image(2, "gone.jpg")], [thing(1), thing(9)])
    coco = read(tmp_path)
    assert [each.name for each in coco.pictures] == ["a.jpg"]
    assert coco.notes == ["1 object of pictures that all.json does not list: left out"]
    assert [tuple(each) for each in coco.ignored] == [
        ("gone.jpg", "in all.json, but not there"),
        ("extra.jpg", "in no annotation file"),
    ]


def test_no_picture_at_all_is_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    write(tmp_path / "all.json", [image(1, "gone.jpg")], [])
    with pytest.raises(DataError, match=r"none of the pictures that all.json list is there; the"):
        read(tmp_path)


def test_a_category_id_without_a_name_is_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    write(tmp_path / "all.json", [image(1, "a.jpg")], [thing(1, 4), thing(1, 4), thing(1, 3)])
    with pytest.raises(
        DataError,
        match=r"all.json: 2 objects of category id 4, which has no name; its categories are 7 dog, "
        "3 cat. Add",
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        ([], "has no categories"),
        (
            [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}],
            "two categories of one id or name: a, b",
        ),
        (
            [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}],
            "two categories of one id or name: a, a",
        ),
        ([{"id": 1}], r"missing required field `name` - at `\$.categories\[0\]`"),
    ],
)
def test_categories_must_have_ids_and_names(
    tmp_path: Path, write_pictures: WritePictures, categories: Any, message: str
):
    write_pictures("a.jpg")
    write(tmp_path / "all.json", [image(1, "a.jpg")], [], categories)
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_broken_json_is_refused_with_its_line(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    path = tmp_path / "all.json"
    write(path, [image(1, "a.jpg")], [])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:5], "oops", *lines[5:]]))
    with pytest.raises(DataError, match=r"all.json: broken JSON in line 6 .*; expected an object"):
        read(tmp_path)


def test_splits_of_different_categories_are_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("train/a.jpg", "val/a.jpg")
    write(tmp_path / "train.json", [image(1, "a.jpg")], [])
    others = [{"id": 1, "name": "cow"}, {"id": 2, "name": "dog"}]
    write(tmp_path / "val.json", [image(1, "a.jpg")], [], others)
    said = "given: the splits have different categories: only train.json has cat; only val.json has"
    with pytest.raises(DataError, match=f"{said} cow"):
        read(tmp_path)


def test_ids_may_differ_between_splits_since_names_decide(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures("train/a.jpg", "val/a.jpg")
    swapped = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    write(tmp_path / "train.json", [image(1, "a.jpg")], [thing(1, 7)])
    write(tmp_path / "val.json", [image(1, "a.jpg")], [thing(1, 1)], swapped)
    coco = read(tmp_path)
    assert [[label for label, _ in each.objects] for each in coco.pictures] == [[1], [1]]


def test_two_files_of_one_split_are_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    for name in ("train_1.json", "train_2.json"):
        write(tmp_path / name, [image(1, "a.jpg")], [])
    with pytest.raises(DataError, match=r"two annotation files stand for train: train_1.json and"):
        find_coco(tmp_path, list_folder(tmp_path))


def test_two_files_of_no_split_are_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    for name in ("one.json", "two.json"):
        write(tmp_path / name, [image(1, "a.jpg")], [])
    with pytest.raises(
        DataError, match=r"their names say nothing about splits. Call them instances_"
    ):
        find_coco(tmp_path, list_folder(tmp_path))


def test_a_file_for_each_picture_is_another_format_and_not_read(
    tmp_path: Path, write_pictures: WritePictures
):
    for k in range(17):
        write_pictures(f"{k}.jpg")
        write(tmp_path / f"{k}.json", [image(k, f"{k}.jpg")], [])
    assert find_coco(tmp_path, list_folder(tmp_path)) == {}


@pytest.mark.parametrize("start", ["\ufeff", ""], ids=["byte order mark", "none"])
def test_files_of_windows_programs_are_read(
    tmp_path: Path, write_pictures: WritePictures, start: str
):
    write_pictures("images/a.jpg")
    write(tmp_path / "all.json", [image(1, r"images\a.jpg")], [])
    (tmp_path / "all.json").write_text(start + (tmp_path / "all.json").read_text(), "utf-8")
    assert [each.name for each in read(tmp_path).pictures] == ["images/a.jpg"]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([image(1, "a.jpg"), image(1, "b.jpg")], "1 picture id given to more than one picture"),
        ([image(1, "a.jpg"), image(2, "./a.jpg")], "a.jpg is listed twice, in all and in all"),
        ([image(1, "a.jpg") | {"height": 0}], "a.jpg has 9 x 0 pixels; expected 1 a side"),
        ([image(1, "a.jpg") | {"width": -9}], "a.jpg has -9 x 7 pixels"),
        ([image(1, "a.jpg") | {"width": 10**9}], "a.jpg has 1000000000 x 7 pixels; expected"),
    ],
)
def test_pictures_that_cannot_be_told_apart_or_cannot_be_are_refused(
    tmp_path: Path, write_pictures: WritePictures, images: list[Any], message: str
):
    write_pictures("a.jpg", "b.jpg")
    write(tmp_path / "all.json", images, [thing(1)])
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_a_picture_in_two_splits_is_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    write(tmp_path / "train.json", [image(1, "a.jpg")], [])
    write(tmp_path / "val.json", [image(1, "a.jpg")], [])
    with pytest.raises(DataError, match=r"a.jpg is listed twice, in train and in val"):
        read(tmp_path)


def test_lists_that_lie_too_deep_are_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    write(tmp_path / "all.json", [image(1, "a.jpg")], [thing(1) | {"segmentation": "DEEP"}])
    text = (tmp_path / "all.json").read_text()
    (tmp_path / "all.json").write_text(text.replace('"DEEP"', "[" * 100_000 + "]" * 100_000))
    with pytest.raises(DataError, match="its lists lie too deep"):
        read(tmp_path)
