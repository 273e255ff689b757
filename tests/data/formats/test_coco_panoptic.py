"""COCO's panoptic files: colours are the numbers of segments, 0 and crowds are unknown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saccade.data.annotated import guess_job, open_masks
from saccade.data.annotations import Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.samples import Source
from saccade.errors import DataError
from tests.data.formats.conftest import SaveMask

WritePictures = Callable[..., None]
CATEGORIES = [{"id": 9, "name": "sky", "isthing": 0}, {"id": 2, "name": "cat", "isthing": 1}]
CAT, SKY, CROWD, VOID = [1, 2, 0], [0, 0, 1], [7, 0, 0], [0, 0, 0]  # 513, 65,536, 7
SEGMENTS = [
    {"id": 65_536, "category_id": 9},
    {"id": 513, "category_id": 2, "area": 2, "bbox": [0, 0, 1, 1]},
    {"id": 7, "category_id": 2, "iscrowd": 1},
    {"id": 8, "category_id": 2},
]


def write(folder: Path, split: str, segments: list[Any] = SEGMENTS) -> None:
    world = {
        "images": [{"id": 5, "file_name": "5.png", "height": 1, "width": 5}],
        "annotations": [{"image_id": 5, "file_name": "5.png", "segments_info": segments}],
        "categories": CATEGORIES,
    }
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / f"annotations/panoptic_{split}2017.json").write_text(json.dumps(world))


def segments(source: Source) -> Segments:
    (samples,) = source.splits.values()
    assert samples.annotations is not None
    found = samples.annotations.load(0)
    assert isinstance(found, Segments)
    return found


@pytest.fixture(autouse=True)
def one_picture(write_pictures: WritePictures, save_mask: SaveMask) -> None:
    write_pictures("val2017/5.png", size=(5, 1))
    save_mask("annotations/panoptic_val2017/5.png", [[CAT, SKY, CROWD, VOID, CAT]])


def test_segments_have_their_classes_and_the_rest_is_unknown(tmp_path: Path):
    write(tmp_path, "val")
    source = open_masks(tmp_path)
    assert source.kind == "COCO panoptic masks"
    assert source.class_names == ("cat", "sky")
    assert source.splits["val"].names() == ["val2017/5.png"]
    assert source.ignored == ()
    found = segments(source)
    assert found.segments.tolist() == [[1, 2, -1, -1, 1]]
    assert found.labels.tolist() == [0, 1]
    assert guess_job(tmp_path) == "segment"


def test_a_segment_that_is_not_listed_is_this_pictures_fault(tmp_path: Path):
    write(tmp_path, "val", SEGMENTS[1:])
    with pytest.raises(UnreadablePicture, match="holds segment 65536, which the file does not"):
        segments(open_masks(tmp_path))


def test_a_picture_without_its_png_is_left_out(tmp_path: Path):
    write(tmp_path, "val")
    (tmp_path / "annotations/panoptic_val2017/5.png").unlink()
    with pytest.raises(DataError, match="no object in any of 0 pictures"):
        open_masks(tmp_path)


def test_a_segment_without_a_category_is_refused(tmp_path: Path):
    write(tmp_path, "val", [{"id": 7, "category_id": 3}])
    with pytest.raises(DataError, match="1 object of category id 3, which has no name"):
        open_masks(tmp_path)
