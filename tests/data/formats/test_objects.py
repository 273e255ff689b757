"""Boxes that cannot be used are cut or left out, and counted; pictures stay in order."""

from pathlib import Path

import numpy as np
import pytest

from saccade.config.run import Preprocess
from saccade.data.annotations import Boxes
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.formats.objects import Described, Tally, box_source, some
from saccade.data.placement import place
from saccade.errors import DataError

CLASSES = ("cat", "dog")
PREPROCESS = Preprocess(
    height=8, width=8, channels=3, fit="squash", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
)


def described(name: str, *boxes: list[float], split: str = "all", crowd: bool = False) -> Described:
    return Described(
        name=name,
        split=split,
        height=10,
        width=20,
        boxes_xyxy=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        labels=np.zeros(len(boxes), dtype=np.int64),
        is_crowd=np.full(len(boxes), crowd),
        areas=np.arange(len(boxes), dtype=np.float64),
    )


def test_good_boxes_stay_as_they_are():
    tally = Tally()
    boxes = tally.tidy(described("a", [0, 0, 20, 10], [1.5, 2.25, 3, 4]))
    assert boxes.boxes_xyxy.tolist() == [[0, 0, 20, 10], [1.5, 2.25, 3, 4]]
    assert tally.notes() == []


@pytest.mark.parametrize(
    ("box", "left", "note"),
    [
        ([-3, 2, 5, 12], [[0, 2, 5, 10]], "1 object whose box reaches out of the picture: cut"),
        ([25, 2, 30, 5], [], "1 object whose box lies outside the picture: left out"),
        ([4, 2, 4, 5], [], "1 object whose box has no area: left out"),
        ([9, 2, 4, 5], [], "has no area"),
        ([np.nan, 2, 4, 5], [], "has no area"),
        ([0, 2, np.inf, 5], [], "has no area"),
        ([-0.3, 2, 4, 5], [[0, 2, 4, 5]], None),
    ],
    ids=["out", "outside", "flat", "backwards", "not a number", "infinite", "rounded"],
)
def test_bad_boxes_are_cut_or_left_out_and_counted(
    box: list[float], left: list[list[float]], note: str | None
):
    tally = Tally()
    boxes = tally.tidy(described("pictures/a.jpg", box, [1, 1, 2, 2]))
    assert boxes.boxes_xyxy.tolist() == [*left, [1, 1, 2, 2]]
    assert len(boxes.labels) == len(boxes.is_crowd) == len(left) + 1
    assert boxes.areas is not None
    assert boxes.areas.tolist() == [*[0.0] * len(left), 1.0]
    if note is None:
        assert tally.notes() == []
    else:
        (said,) = tally.notes()
        assert note in said
        assert "(pictures/a.jpg)" in said


def test_a_source_stands_split_by_split_and_counts_its_objects():
    source = box_source(
        "given",
        Path("root"),
        [
            described("b10", [0, 0, 1, 1], split="test"),
            described("b2", [0, 0, 2, 2], split="test"),
            described("a", split="train"),
            described("c", [0, 0, 3, 3], split="train", crowd=True),
        ],
        kind="boxes",
        class_names=CLASSES,
    )
    assert {split: samples.names() for split, samples in source.splits.items()} == {
        "train": ["a", "c"],
        "test": ["b2", "b10"],
    }
    test = source.splits["test"]
    assert test.annotations is not None
    loaded = [test.annotations.load(i) for i in test.ids.tolist()]
    assert [each.boxes_xyxy[0, 2] for each in loaded if isinstance(each, Boxes)] == [2, 1]
    assert source.notes == (
        "1 object marked as a crowd or difficult: not learned",
        "3 objects: cat 3, dog 0",
        "1 picture without objects: kept, they teach what is none",
    )


def test_a_stamp_changes_with_any_number():
    def stamp(*boxes: list[float], crowd: bool = False) -> str:
        source = box_source(
            "", Path(), [described("a", *boxes, crowd=crowd)], kind="", class_names=CLASSES
        )
        annotations = source.splits["all"].annotations
        assert annotations is not None
        return annotations.stamp(0)

    assert stamp([0, 0, 1, 1]) == stamp([0, 0, 1, 1])
    others = [stamp([0, 0, 1, 2]), stamp([0, 0, 1, 1], crowd=True)]
    assert len({stamp([0, 0, 1, 1]), *others}) == 3


def test_a_source_without_one_object_is_refused_with_what_was_left_out():
    pictures = [described("a"), described("b", [25, 2, 30, 5])]
    with pytest.raises(DataError, match=r"given: no object in any of 2 pictures \(1 object whose"):
        box_source("given", Path(), pictures, kind="boxes", class_names=CLASSES)


def test_boxes_of_a_picture_of_another_size_are_refused_with_both_sizes():
    boxes = Tally().tidy(described("a", [0, 0, 5, 5]))  # of 20 x 10
    turned = place(20, 10, PREPROCESS)
    with pytest.raises(UnreadablePicture, match="drawn on is 20 x 10 pixels, and the picture 10 x"):
        boxes.fit(turned, PREPROCESS)
    assert len(boxes.fit(place(10, 20, PREPROCESS), PREPROCESS).labels) == 1


def test_some_names_each_once():
    assert some(["a", "a", "b"]) == "a, b"
    assert some(["a", "b", "c", "d"]) == "a, b, c, ..."
