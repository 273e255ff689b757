"""What is written can be opened again, and says what was drawn."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.annotated import guess_job, open_boxes, open_masks, open_pairs
from saccade.data.annotations import Boxes, ClassMap, Partner, Segments
from saccade.data.canvas.clips import DIRECTIONS, ClipConfig, draw_clip
from saccade.data.canvas.handwriting import Part, scikit_digits
from saccade.data.canvas.scenes import Scene, SceneConfig, draw_scene
from saccade.data.canvas.writing import (
    ONE_CHARACTER,
    Amounts,
    write_class_folders,
    write_class_maps,
    write_clips,
    write_objects,
    write_pairs,
)
from saccade.data.samples import Samples
from saccade.data.sources import open_source

SMALL = SceneConfig(height=40, width=56, max_characters=3, max_size=24.0)
AMOUNTS = Amounts(train=3, val=0, test=2)


def scene(part: Part, number: int, config: SceneConfig = SMALL) -> Scene:
    return draw_scene(scikit_digits(part), seed=5, part=part, number=number, config=config)


def annotation(samples: Samples, position: int) -> object:
    assert samples.annotations is not None
    return samples.annotations.load(int(samples.ids[position]))


def pixels(samples: Samples, position: int) -> np.ndarray:
    return samples.pictures.load(int(samples.ids[position]), channels=3, min_side=None)


def test_objects_come_back_with_their_boxes(tmp_path: Path):
    write_objects(tmp_path, AMOUNTS, seed=5, config=SMALL)
    source = open_boxes(tmp_path)
    assert source.class_names == tuple("0123456789")
    assert {split: len(samples) for split, samples in source.splits.items()} == {
        "train": 3,
        "test": 2,
    }
    for position in range(2):
        drawn = scene("test", position)
        found = annotation(source.splits["test"], position)
        assert isinstance(found, Boxes)
        assert found.boxes_xyxy.tolist() == drawn.boxes_xyxy.tolist()
        assert found.labels.tolist() == drawn.labels.tolist()
        assert not found.is_crowd.any()
        assert (pixels(source.splits["test"], position) == drawn.image).all()


def test_objects_come_back_with_their_masks(tmp_path: Path):
    write_objects(tmp_path, AMOUNTS, seed=5, config=SMALL)
    source = open_masks(tmp_path)
    for position in range(3):
        drawn = scene("train", position)
        found = annotation(source.splits["train"], position)
        assert isinstance(found, Segments)
        assert found.segments.tolist() == drawn.segments.tolist()
        assert found.labels.tolist() == drawn.labels.tolist()


def test_ids_of_objects_are_all_different(tmp_path: Path):
    write_objects(tmp_path, AMOUNTS, seed=5, config=SMALL)
    world = json.loads((tmp_path / "annotations" / "instances_train.json").read_text())
    ids = [each["id"] for each in world["annotations"]]
    assert len(set(ids)) == len(ids) > 3
    assert all(each["area"] <= each["bbox"][2] * each["bbox"][3] for each in world["annotations"])


def test_class_maps_come_back(tmp_path: Path):
    write_class_maps(tmp_path, AMOUNTS, seed=5, config=SMALL)
    source = open_masks(tmp_path)
    assert source.class_names == ("background", *"0123456789")
    for position in range(2):
        found = annotation(source.splits["test"], position)
        assert isinstance(found, ClassMap)
        assert found.classes.tolist() == scene("test", position).classes().tolist()


def test_masks_are_coloured_to_look_at(tmp_path: Path):
    write_class_maps(tmp_path, AMOUNTS, seed=5, config=SMALL)
    with Image.open(tmp_path / "masks" / "train" / "000000.png") as mask:
        assert mask.mode == "P"
        palette = np.array(mask.getpalette()).reshape(-1, 3)[:11].astype(int)
    distances = np.abs(palette[:, None] - palette[None]).sum(2) + 999 * np.eye(11)
    assert distances.min() > 40


def test_clips_lie_in_folders_of_their_direction(tmp_path: Path):
    write_clips(tmp_path, Amounts(9, 0, 0), seed=5)
    assert {each.name for each in (tmp_path / "train").iterdir()} == set(DIRECTIONS)
    clip = draw_clip(scikit_digits("train"), seed=5, part="train", number=3, config=ClipConfig())
    folder = tmp_path / "train" / DIRECTIONS[clip.label] / "000003"
    frames = [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]
    assert np.stack(frames).tobytes() == clip.frames.tobytes()
    assert guess_job(tmp_path) == "video"


def test_pairs_are_a_scene_and_its_ink(tmp_path: Path):
    write_pairs(tmp_path, AMOUNTS, seed=5)
    samples = open_pairs(tmp_path).splits["test"]
    drawn = scene("test", 1, ONE_CHARACTER)
    found = annotation(samples, 1)
    assert isinstance(found, Partner)
    assert (pixels(samples, 1) == drawn.image).all()
    assert ((found.image.max(2) == 255) == (drawn.segments > 0)).all()


def test_class_folders_hold_one_character_each(tmp_path: Path):
    config = replace(SMALL, max_characters=1)
    write_class_folders(tmp_path, Amounts(20, 0, 0), seed=5, config=SMALL)
    names = open_source(tmp_path).splits["train"].names()
    assert len(names) == 20
    for name in names:
        _, folder, file = name.split("/")
        assert scene("train", int(Path(file).stem), config).labels.tolist() == [int(folder)]


@pytest.mark.parametrize("is_grey", [False, True], ids=["colour", "grey"])
def test_grey_worlds_are_stored_in_grey(tmp_path: Path, is_grey: bool):
    write_objects(tmp_path, Amounts(1, 0, 0), seed=0, config=SceneConfig(is_grey=is_grey))
    with Image.open(tmp_path / "train" / "000000.png") as image:
        assert image.mode == ("L" if is_grey else "RGB")


def test_a_part_does_not_change_when_another_grows(tmp_path: Path):
    for name, amounts in (("few", Amounts(1, 0, 1)), ("many", Amounts(3, 1, 1))):
        write_class_folders(tmp_path / name, amounts, seed=5)
    few, many = (
        next((tmp_path / name / "test").rglob("*.png")).read_bytes() for name in ("few", "many")
    )
    assert few == many
