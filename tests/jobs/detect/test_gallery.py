"""The pictures of a report show what was found, missed and imagined, each in its own way."""

import json

import numpy as np
from PIL import Image

from saccade.data.annotations import Boxes
from saccade.jobs.detect.boxes import class_colour
from saccade.jobs.detect.gallery import compared
from saccade.serving.detect import FoundObjects
from tests import boxed


def test_right_wrong_and_missed_are_told_apart() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 20, 30, 30], [0, 0, 10, 9]], dtype=np.float64)
    found = FoundObjects(
        height=50,
        width=50,
        boxes_xyxy=boxes,
        labels=np.array([1, 1, 1]),
        scores=np.array([0.9, 0.8, 0.7], dtype=np.float32),
    )
    known = Boxes(
        boxes_xyxy=np.array([[0, 0, 10, 10], [40, 40, 45, 45], [0, 0, 50, 50]], dtype=np.float32),
        labels=np.array([1, 0, 0]),
        is_crowd=np.array([False, False, True]),
    )

    right, wrong, twice, missed = compared(found, known, ("cat", "dog"))

    assert right.text == "dog 0.90"
    assert right.colour == class_colour(1)
    assert wrong.colour == twice.colour != right.colour
    assert missed.is_dashed
    assert missed.text == "cat"
    assert list(missed.box_xyxy) == [40, 40, 45, 45]


def test_a_run_has_all_four_galleries_with_files_that_open() -> None:
    run = boxed.world().run
    index = json.loads((run / "pictures" / "index.json").read_text())

    assert list(index) == ["found", "missed", "false", "batch"]
    assert len(index["found"]["entries"]) == boxed.world().result.n
    assert len(index["batch"]["entries"]) == 12
    for gallery in index.values():
        assert gallery["title"]
        assert gallery["text"]
        for entry in gallery["entries"]:
            with Image.open(run / entry["file"]) as image:
                assert min(image.size) >= 240
            assert entry["caption"]
            assert entry["path"].endswith(".png")


def test_the_page_shows_the_galleries_and_the_table_of_classes() -> None:
    page = (boxed.world().run / "report.html").read_text()

    for text in ("What it finds", "By class", "AP50", *boxed.CLASSES):
        assert text in page
