"""COCO's panoptic files: colours are the numbers of segments, 0 and crowds are unknown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saccade.config.run import RunConfig
from saccade.config.task import SegmentConfig
from saccade.data.annotated import guess_job, open_masks
from saccade.data.annotations import Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.samples import Source
from saccade.errors import DataError
from saccade.planning.facts import Facts, look
from saccade.planning.segment import segment
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


def write(
    folder: Path,
    split: str,
    segments: list[Any] = SEGMENTS,
    categories: list[dict[str, Any]] = CATEGORIES,
) -> None:
    world = {
        "images": [{"id": 5, "file_name": "5.png", "height": 1, "width": 5}],
        "annotations": [{"image_id": 5, "file_name": "5.png", "segments_info": segments}],
        "categories": categories,
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


def test_what_is_stuff_comes_from_the_file_and_reaches_the_recipe(tmp_path: Path):
    write(tmp_path, "val")
    source = open_masks(tmp_path)
    assert "regions and not objects (isthing 0): sky" in source.notes
    facts = look(source.splits["val"], num_classes=2)
    assert facts.stuff == ("sky",)
    config = segment_recipe(facts)
    assert isinstance(config.task, SegmentConfig)
    assert config.task.stuff == ("sky",)


def test_without_isthing_every_class_is_a_thing(tmp_path: Path):
    write(tmp_path, "val", categories=[{"id": 9, "name": "sky"}, {"id": 2, "name": "cat"}])
    source = open_masks(tmp_path)
    assert look(source.splits["val"], num_classes=2).stuff == ()
    assert not any("isthing" in note for note in source.notes)


def test_a_class_that_is_stuff_in_one_split_only_is_refused(
    tmp_path: Path, write_pictures: WritePictures, save_mask: SaveMask
):
    write_pictures("train2017/5.png", size=(5, 1))
    save_mask("annotations/panoptic_train2017/5.png", [[CAT, SKY, CROWD, VOID, CAT]])
    write(tmp_path, "val")
    write(tmp_path, "train", categories=[each | {"isthing": True} for each in CATEGORIES])
    with pytest.raises(DataError, match=r"sky: isthing is not the same in .*train.* and .*val"):
        open_masks(tmp_path)


def segment_recipe(facts: Facts) -> RunConfig:
    return segment(
        facts,
        source="world",
        model="vit-pico4",
        image_size=32,
        steps=10,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=0,
    )
