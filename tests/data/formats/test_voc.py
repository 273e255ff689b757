"""Pascal VOC is read with its splits, its way to count pixels, and its mistakes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.annotations import Boxes
from saccade.data.formats.voc import find_voc, open_voc
from saccade.data.listing import list_folder
from saccade.data.samples import Source
from saccade.errors import DataError

WritePictures = Callable[..., None]


def thing(name: str, *corners: object, extra: str = "") -> str:
    edges = "".join(
        f"<{edge}>{value}</{edge}>"
        for edge, value in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    )
    return f"<object><name>{name}</name>{extra}<bndbox>{edges}</bndbox></object>"


def write_xml(path: Path, *things: str, size: str = "<width>9</width><height>7</height>") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><size>{size}</size>{''.join(things)}</annotation>")


def opened(root: Path) -> Source:
    listing = list_folder(root)
    places = find_voc(listing)
    assert places is not None
    return open_voc("given", root, listing, places)


def boxes(source: Source, split: str = "all", position: int = 0) -> Boxes:
    samples = source.splits[split]
    assert samples.annotations is not None
    found = samples.annotations.load(int(samples.ids[position]))
    assert isinstance(found, Boxes)
    return found


@pytest.fixture
def world(tmp_path: Path, write_pictures: WritePictures) -> Path:
    """Two pictures, a and b, the first with one object."""
    write_pictures("JPEGImages/a.jpg", "JPEGImages/b.jpg")
    write_xml(tmp_path / "Annotations" / "a.xml", thing("dog", 1, 2, 3, 7))
    write_xml(tmp_path / "Annotations" / "b.xml")
    return tmp_path


def test_pixels_counted_from_1_become_edges_counted_from_0(world: Path):
    source = opened(world)
    assert source.kind == "Pascal VOC boxes"
    assert source.class_names == ("dog",)
    # Columns 1 to 3 of 9 are the edges 0 to 3; rows 2 to 7 of 7 the edges 1 to 7.
    assert boxes(source).boxes_xyxy.tolist() == [[0, 1, 3, 7]]
    assert boxes(source, position=1).boxes_xyxy.shape == (0, 4)
    assert "1 picture without objects: kept, they teach what is none" in source.notes


def test_the_lists_give_the_splits(world: Path, write_pictures: WritePictures):
    write_pictures("JPEGImages/c.jpg")
    write_xml(world / "Annotations" / "c.xml")
    lists = world / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name, text in {
        "train": "a\n",
        "val": "b 1\ngone\n",
        "trainval": "a\nb\n",
        "dog_train": "b -1",
    }.items():
        (lists / f"{name}.txt").write_text(text)
    source = opened(world)
    assert {split: samples.names() for split, samples in source.splits.items()} == {
        "train": ["JPEGImages/a.jpg"],
        "val": ["JPEGImages/b.jpg"],
    }
    assert [tuple(each) for each in source.ignored] == [
        ("gone", "in a list of ImageSets/Main/, but not there"),
        ("JPEGImages/c.jpg", "in no list of ImageSets/Main/"),
    ]


def test_trainval_trains_where_there_is_no_train(world: Path):
    lists = world / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "trainval.txt").write_text("a")
    (lists / "test.txt").write_text("b")
    assert list(opened(world).splits) == ["train", "test"]


def test_trainval_gives_train_what_val_does_not_take(world: Path):
    lists = world / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "trainval.txt").write_text("a\nb")
    (lists / "val.txt").write_text("b")
    source = opened(world)
    assert source.splits["train"].names() == ["JPEGImages/a.jpg"]
    assert source.splits["val"].names() == ["JPEGImages/b.jpg"]


def test_a_picture_in_two_lists_is_refused(world: Path):
    lists = world / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a")
    (lists / "test.txt").write_text("b\na")
    with pytest.raises(DataError, match="a is in the lists of both test and train"):
        opened(world)


def test_it_may_lie_in_a_folder_of_an_archive(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("VOC2007/JPEGImages/a.jpg")
    write_xml(tmp_path / "VOC2007" / "Annotations" / "a.xml", thing("dog", 1, 1, 2, 2))
    source = opened(tmp_path)
    assert source.notes[0] == "everything is in VOC2007/, so that is the source"
    assert source.splits["all"].names() == ["VOC2007/JPEGImages/a.jpg"]


def test_pictures_may_lie_in_a_folder_of_another_name(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures("images/a.png")
    write_xml(tmp_path / "annotations" / "a.xml", thing("dog", 1, 1, 2, 2))
    assert opened(tmp_path).splits["all"].names() == ["images/a.png"]


def test_without_a_folder_of_xml_it_is_nothing(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.png")
    (tmp_path / "a.xml").write_text("<a/>")
    assert find_voc(list_folder(tmp_path)) is None


def test_boxes_without_area_are_left_out_and_those_beyond_the_border_cut(world: Path):
    write_xml(
        world / "Annotations" / "a.xml",
        thing("dog", 4, 5, 4, 5),
        thing("dog", 5, 1, 12, 3),
    )
    source = opened(world)
    assert boxes(source).boxes_xyxy.tolist() == [[4, 0, 9, 3]]
    assert source.notes[:2] == (
        "1 object whose box reaches out of the picture: cut at its border (JPEGImages/a.jpg)",
        "1 object whose box has no area: left out (JPEGImages/a.jpg)",
    )


def test_difficult_objects_neither_teach_nor_count(world: Path):
    hard = thing("dog", 1, 1, 4, 4, extra="<difficult>1</difficult>")
    write_xml(world / "Annotations" / "a.xml", hard, thing("cat", 1, 1, 4, 4))
    source = opened(world)
    assert boxes(source).is_crowd.tolist() == [True, False]
    assert boxes(source).labels.tolist() == [1, 0]
    assert "1 object marked as a crowd or difficult: not learned" in source.notes


def test_files_without_a_partner_are_said(world: Path, write_pictures: WritePictures):
    write_pictures("JPEGImages/alone.jpg")
    write_xml(world / "Annotations" / "lost.xml", thing("dog", 1, 1, 2, 2))
    assert [tuple(each) for each in opened(world).ignored] == [
        ("Annotations/lost.xml", "no picture of this name"),
        ("JPEGImages/alone.jpg", "has no annotation file"),
    ]


def test_no_partner_at_all_is_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("JPEGImages/a.jpg")
    write_xml(tmp_path / "Annotations" / "b.xml")
    with pytest.raises(DataError, match="none of 1 annotation files belongs to one of 1 pictures"):
        opened(tmp_path)


def test_classes_that_train_lacks_are_refused(world: Path):
    write_xml(world / "Annotations" / "b.xml", thing("cow", 1, 1, 2, 2))
    lists = world / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a")
    (lists / "test.txt").write_text("b")
    with pytest.raises(DataError, match="test has classes that train lacks: cow"):
        opened(world)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "<annotation>\n<object>\n</annotation>",
            r"a.xml: broken XML in line 3, column \d+ .*mism",
        ),
        ("", "a.xml: broken XML in line 1"),
        (
            "<annotation><size><width>9</width><height>7</height></size>"
            "<object><bndbox/></object></annotation>",
            "a.xml: an object has no <name>",
        ),
        (
            "<annotation><size><width>9</width><height>7</height></size>"
            "<object><name>dog</name><bndbox><xmin>left</xmin></bndbox></object></annotation>",
            "expected a number of pixels in <bndbox/xmin>, found 'left'",
        ),
        (
            "<annotation></annotation>",
            "expected a number of pixels in <size/height>, found nothing",
        ),
    ],
)
def test_broken_xml_is_refused_with_its_place(world: Path, text: str, message: str):
    (world / "Annotations" / "a.xml").write_text(text)
    with pytest.raises(DataError, match=message):
        opened(world)


def test_no_object_anywhere_is_refused(world: Path):
    write_xml(world / "Annotations" / "a.xml")
    with pytest.raises(DataError, match="no object in any of 2 annotation files"):
        opened(world)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ("<width>nan</width><height>7</height>", "expected a number of pixels in <size/width>"),
        ("<width>9</width><height>inf</height>", "expected a number of pixels in <size/height>"),
        ("<width>0</width><height>0</height>", "its <size> is 0 x 0 pixels; write the picture's"),
    ],
)
def test_a_size_that_no_picture_has_is_refused(world: Path, size: str, message: str):
    write_xml(world / "Annotations" / "b.xml", size=size)
    with pytest.raises(DataError, match=rf"Annotations/b.xml: {message}"):
        opened(world)


def test_an_unknown_encoding_is_refused(world: Path):
    (world / "Annotations" / "b.xml").write_text('<?xml version="1.0" encoding="x-me"?><a/>')
    with pytest.raises(DataError, match=r"Annotations/b.xml: cannot be read: unknown encoding"):
        opened(world)


def test_only_xml_files_are_annotations(world: Path):
    (world / "Annotations" / "b.txt").write_text("a remark")
    assert len(opened(world).splits["all"]) == 2


def test_a_second_file_of_a_name_is_said_and_not_used(world: Path, write_pictures: WritePictures):
    write_pictures("JPEGImages/old/a.png")
    write_xml(world / "Annotations" / "old" / "b.xml", thing("cow", 1, 1, 2, 2))
    source = opened(world)
    assert source.class_names == ("dog",)
    assert source.splits["all"].names() == ["JPEGImages/a.jpg", "JPEGImages/b.jpg"]
    assert {(each.name, each.reason) for each in source.ignored} == {
        ("JPEGImages/old/a.png", "another file of this name is used"),
        ("Annotations/old/b.xml", "another file of this name is used"),
    }
