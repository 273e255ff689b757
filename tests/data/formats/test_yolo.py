"""YOLO text files become boxes in pixels, or are refused with their line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.annotations import Boxes
from saccade.data.formats.yolo import find_yolo, open_yolo
from saccade.data.listing import list_folder
from saccade.data.samples import Source
from saccade.errors import DataError

WritePictures = Callable[..., None]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def opened(root: Path) -> Source:
    listing = list_folder(root)
    places = find_yolo(listing)
    assert places is not None
    return open_yolo("given", root, listing, places)


def boxes(source: Source, split: str = "all", position: int = 0) -> Boxes:
    samples = source.splits[split]
    assert samples.annotations is not None
    found = samples.annotations.load(int(samples.ids[position]))
    assert isinstance(found, Boxes)
    return found


@pytest.fixture
def world(tmp_path: Path, write_pictures: WritePictures) -> Path:
    """One picture of 20 x 10 pixels with one object, and the names of two classes."""
    write_pictures("images/a.png", size=(20, 10))
    write(tmp_path / "labels" / "a.txt", "1 0.5 0.5 0.2 0.4\n")
    write(tmp_path / "classes.txt", "cat\ndog\n")
    return tmp_path


def test_shares_become_pixels(world: Path):
    source = opened(world)
    assert source.kind == "YOLO boxes"
    assert source.class_names == ("cat", "dog")
    assert boxes(source).boxes_xyxy.tolist() == [pytest.approx([8, 3, 12, 7], abs=1e-5)]
    assert boxes(source).labels.tolist() == [1]


def test_an_outline_becomes_the_box_round_it(world: Path):
    write(world / "labels" / "a.txt", "0 0.1 0.2 0.5 0.9 0.3 0.1")
    source = opened(world)
    assert boxes(source).boxes_xyxy.tolist() == [pytest.approx([2, 1, 10, 9], abs=1e-5)]
    assert "1 outline: the boxes round them are used" in source.notes


@pytest.mark.parametrize(
    ("pictures", "texts"),
    [
        ("images/{split}/a.png", "labels/{split}/a.txt"),
        ("{split}/images/a.png", "{split}/labels/a.txt"),
        ("coco/images/{split}2017/a.png", "coco/labels/{split}2017/a.txt"),
    ],
)
def test_the_usual_trees_are_understood(
    tmp_path: Path, write_pictures: WritePictures, pictures: str, texts: str
):
    for split in ("train", "val"):
        write_pictures(pictures.format(split=split))
        write(tmp_path / texts.format(split=split), "0 0.5 0.5 0.1 0.1")
    write(tmp_path / "data.yaml", "names: [cat]\n")
    source = opened(tmp_path)
    assert [samples.names() for samples in source.splits.values()] == [
        [pictures.format(split="train")],
        [pictures.format(split="val")],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "names: ['cat', dog]\nnc: 2",
        "train: images\nnames:\n- cat\n- dog\n",
        "names:\n  0: cat\n  1: dog\n",
        "names: {1: dog, 0: cat}",
    ],
)
def test_names_may_be_a_list_or_numbered(world: Path, text: str):
    write(world / "data.yaml", text)
    assert opened(world).class_names == ("cat", "dog")


def test_pictures_without_a_text_or_with_an_empty_one_have_no_objects(
    world: Path, write_pictures: WritePictures
):
    write_pictures("images/b.png", "images/c.png")
    write(world / "labels" / "b.txt", "\n")
    source = opened(world)
    assert [len(boxes(source, position=k).labels) for k in range(3)] == [1, 0, 0]
    assert source.notes[0] == "1 picture without a text file"
    assert "2 pictures without objects: kept, they teach what is none" in source.notes


def test_what_has_no_place_is_said(world: Path, write_pictures: WritePictures):
    write_pictures("cover.png")
    write(world / "labels" / "lost.txt", "0 0.5 0.5 0.1 0.1")
    (world / "images" / "broken.png").write_bytes(b"no picture")
    reasons = {entry.name: entry.reason for entry in opened(world).ignored}
    assert reasons["labels/lost.txt"] == "no picture of this name"
    assert reasons["cover.png"] == "outside the folder images"
    assert reasons["images/broken.png"].startswith("cannot be read: not a picture this reads")


def test_pictures_outside_the_splits_are_left_out(world: Path, write_pictures: WritePictures):
    write_pictures("images/train/b.png")
    write(world / "labels" / "train" / "b.txt", "0 0.5 0.5 0.1 0.1")
    source = opened(world)
    assert list(source.splits) == ["train"]
    assert ("images/a.png", "outside the split folders") in [tuple(each) for each in source.ignored]


def test_boxes_beyond_the_border_are_cut_and_those_without_area_left_out(world: Path):
    write(world / "labels" / "a.txt", "0 0.95 0.5 0.4 0.4\n1 0.5 0.5 0 0.2\n")
    source = opened(world)
    assert boxes(source).boxes_xyxy.tolist() == [pytest.approx([15, 3, 20, 7], abs=1e-5)]
    assert "1 object whose box reaches out of the picture" in source.notes[0]
    assert "1 object whose box has no area" in source.notes[1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 0.5 0.5 0.1 0.1", r"labels/a.txt, line 2: class 2 has no name; there are 2 names, of"),
        ("-1 0.5 0.5 0.1 0.1", "class -1 has no name"),
        ("0.5 0.5 0.5 0.1 0.1", "class 0.5 has no name"),
        ("0 0.5 0.5 0.1", "line 2: 3 numbers after the class; expected 4"),
        ("dog 0.5 0.5 0.1 0.1", "line 2: expected numbers, found 'dog 0.5 0.5 0.1 0.1'"),
        ("0 120 80 30 40", "line 2: '0 120 80 30 40' looks like pixels; expected shares"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(world: Path, line: str, message: str):
    write(world / "labels" / "a.txt", f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(DataError, match=message):
        opened(world)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: [cat\n", "data.yaml: broken YAML: .*line 2"),
        ("- cat", "data.yaml: expected keys such as names, found list"),
        ("nc: 2", "data.yaml: expected names, a list of the classes; found None"),
        ("names: {0: cat, 2: dog}", r"numbers its classes \[0, 2\]; expected 0 to 1, each once"),
        ("names: !!python/object/apply:os.getcwd []", "broken YAML"),
    ],
)
def test_a_bad_yaml_is_refused(world: Path, text: str, message: str):
    write(world / "data.yaml", text)
    with pytest.raises(DataError, match=message):
        opened(world)


def test_classes_without_names_are_refused_with_what_to_do(world: Path):
    (world / "classes.txt").unlink()
    with pytest.raises(DataError, match=r"nothing names their classes. Put a data.yaml with names"):
        opened(world)


def test_folders_without_texts_are_nothing(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("images/a.png", "labels/a.png")
    assert find_yolo(list_folder(tmp_path)) is None


@pytest.mark.parametrize(
    "line", ["nan 0.5 0.5 0.1 0.1", "inf 0.5 0.5 0.1 0.1", "0 nan 0.5 0.1 0.1"]
)
def test_what_is_no_number_is_refused(world: Path, line: str):
    write(world / "labels" / "a.txt", line)
    with pytest.raises(DataError, match=rf"labels/a.txt, line 1: expected numbers, found '{line}'"):
        opened(world)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("[cat, [dog]]", "the name of class 1 is a list; expected text"),
        ("[cat, null]", "the name of class 1 is a NoneType; expected text"),
        ("[cat, cat]", "two classes are called 'cat'"),
        ("[" * 5000 + "]" * 5000, "broken YAML"),
    ],
)
def test_names_that_are_none_are_refused(world: Path, names: str, message: str):
    write(world / "data.yaml", f"names: {names}\n")
    with pytest.raises(DataError, match=f"data.yaml: {message}"):
        opened(world)
