"""COCO's objects become boxes and segments in the pictures' own pixels."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from saccade.data.annotations import Boxes
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.formats.coco import Coco, CocoPicture
from saccade.data.formats.coco_file import CocoImage, CocoObject
from saccade.data.formats.coco_objects import CocoSegments, coco_boxes, coco_segments
from saccade.data.regions import encode_rle
from saccade.errors import DataError

HEIGHT, WIDTH = 6, 8


def rectangle(left: int, top: int, right: int, bottom: int) -> list[list[int]]:
    return [[left, top, right, top, right, bottom, left, bottom]]


def thing(segmentation: Any, label: int = 0, *, crowd: bool = False) -> tuple[int, CocoObject]:
    return label, CocoObject(
        image_id=1,
        category_id=label + 1,
        bbox=(1, 2, 3, 4),
        segmentation=msgspec.Raw(msgspec.json.encode(segmentation)),
        iscrowd=int(crowd),
    )


def picture(
    *things: tuple[int, CocoObject], name: str = "a.jpg", split: str = "all"
) -> CocoPicture:
    image = CocoImage(id=1, file_name=name, height=HEIGHT, width=WIDTH)
    return CocoPicture(name, split, image, list(things))


def segments(*things: tuple[int, CocoObject]) -> tuple[list[list[int]], list[int]]:
    found = CocoSegments((picture(*things),)).load(0)
    return found.segments.tolist(), found.labels.tolist()


def test_width_and_height_become_right_and_bottom():
    source = coco_boxes("", Path(), Coco([picture(thing([], 1))], ("a", "b"), ["said"], []))
    annotations = source.splits["all"].annotations
    assert annotations is not None
    boxes = annotations.load(0)
    assert isinstance(boxes, Boxes)
    assert boxes.boxes_xyxy.tolist() == [[1, 2, 4, 6]]
    assert boxes.labels.tolist() == [1]
    assert source.notes[0] == "said"


def test_an_object_has_the_area_that_is_written_or_else_that_of_its_outline():
    triangle, square = [[0, 0, 4, 0, 0, 4]], rectangle(5, 0, 7, 2)
    runs = {"size": [HEIGHT, WIDTH], "counts": [0, 5, HEIGHT * WIDTH - 5]}
    said = [[], triangle, [*triangle, *square], runs, [[1, 2]], {"counts": 3}]
    things = [thing(each) for each in said]
    things.append(thing(triangle))
    things[-1][1].area = 2.5
    annotations = coco_boxes("", Path(), Coco([picture(*things)], ("a",), [], [])).splits["all"]
    assert annotations.annotations is not None
    boxes = annotations.annotations.load(0)
    assert isinstance(boxes, Boxes)
    assert boxes.areas is not None
    nan = np.nan
    assert np.array_equal(boxes.areas, [nan, 8, 12, 5, nan, nan, 2.5], equal_nan=True)


def test_polygons_and_run_lengths_of_one_region_are_one():
    naive = np.zeros((HEIGHT, WIDTH), dtype=int)
    naive[2:5, 1:4] = 1
    runs = {"size": [HEIGHT, WIDTH], "counts": encode_rle(naive == 1)}
    plain = {"size": [HEIGHT, WIDTH], "counts": [8, 3, 3, 3, 3, 3, 25]}
    for said in (rectangle(1, 2, 4, 5), runs, plain):
        assert segments(thing(said, 4)) == (naive.tolist(), [4])


def test_small_objects_lie_on_large_ones_whatever_their_order():
    large, small = thing(rectangle(0, 0, 8, 6), 0), thing(rectangle(2, 2, 4, 4), 1)
    expected = np.ones((HEIGHT, WIDTH), dtype=int)
    expected[2:4, 2:4] = 2
    assert segments(large, small) == (expected.tolist(), [0, 1])
    assert segments(small, large) == ((3 - expected).tolist(), [1, 0])


def test_an_object_that_others_cover_is_left_out_without_a_gap():
    halves = [thing(rectangle(2, 2, 3, 4), 1), thing(rectangle(3, 2, 4, 4), 2)]
    found, labels = segments(thing(rectangle(2, 2, 4, 4), 0), *halves)
    assert labels == [1, 2]
    assert sorted(np.unique(found).tolist()) == [0, 1, 2]


def test_pixels_of_a_crowd_are_unknown_but_where_an_object_is():
    crowd, dog = thing(rectangle(0, 0, 4, 6), crowd=True), thing(rectangle(2, 0, 6, 6), 1)
    found, labels = segments(crowd, dog)
    assert found[0] == [-1, -1, 1, 1, 1, 1, 0, 0]
    assert labels == [1]


def test_a_picture_without_objects_has_an_empty_map():
    assert segments() == (np.zeros((HEIGHT, WIDTH), dtype=int).tolist(), [])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"size": [6, 9], "counts": [54]}, r"is 9 x 6 pixels, and the picture 8 x 6; they must be"),
        ({"size": [6, 8], "counts": [40]}, "run lengths cover 40 pixels"),
        ([[1, 2, 3, 4]], "a polygon of it has 4 numbers"),
        ("circle", "neither polygons nor run lengths"),
        ([[9e5, 0, 0, 9e5, 5, 5] * 3], "an outline that is too long to be walked"),
        ({"size": [6, 8], "counts": "o" * 9999}, "a number beyond all pictures"),
    ],
)
def test_a_broken_outline_is_this_pictures_fault(said: Any, message: str):
    with pytest.raises(UnreadablePicture, match=message):
        segments(thing(said))


def test_objects_without_an_outline_are_left_out_and_counted():
    coco = Coco([picture(thing([]), thing(None), thing(rectangle(0, 0, 2, 2)))], ("a",), [], [])
    source = coco_segments("", Path(), coco)
    assert source.notes == ("2 objects without an outline: left out (a.jpg)", "1 object: a 1")
    annotations = source.splits["all"].annotations
    assert annotations is not None
    assert annotations.load(0).labels.tolist() == [0]  # pyrefly: ignore


def test_pictures_stand_split_by_split():
    seen = thing(rectangle(0, 0, 2, 2))
    pictures = [picture(seen, name="b.jpg", split="test"), picture(name="a.jpg", split="train")]
    source = coco_segments("", Path(), Coco(pictures, ("a",), [], []))
    assert [samples.names() for samples in source.splits.values()] == [["a.jpg"], ["b.jpg"]]


def test_a_stamp_changes_with_an_outline():
    def stamp(*things: tuple[int, CocoObject]) -> str:
        return CocoSegments((picture(*things),)).stamp(0)

    one = thing(rectangle(0, 0, 2, 2))
    assert stamp(one) == stamp(one)
    others = [stamp(thing(rectangle(0, 0, 2, 3))), stamp(thing(rectangle(0, 0, 2, 2), 1)), stamp()]
    assert len({stamp(one), *others}) == 4


def test_an_outline_of_a_thousand_lists_is_this_pictures_fault():
    label, bad = thing([])
    bad.segmentation = msgspec.Raw(b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(UnreadablePicture, match="neither polygons nor run lengths"):
        segments((label, bad))


def test_a_source_without_one_outline_is_refused():
    coco = Coco([picture(thing([]))], ("a",), [], [])
    with pytest.raises(DataError, match=r"no object in any of 1 picture \(1 object without an out"):
        coco_segments("", Path(), coco)
