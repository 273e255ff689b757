"""The recipe fits the input to the pictures, the first guess to the objects, the patch to both."""

from dataclasses import replace

import pytest
import torch

from saccade.config.check import check
from saccade.config.run import RunConfig
from saccade.config.task import DetectConfig
from saccade.planning.detect import (
    detect,
    detect_targets,
    patch_for_objects,
    preprocess_for_objects,
    wanted_epochs_for_objects,
)
from saccade.planning.facts import Facts
from saccade.planning.objects import ObjectFacts
from tests import tiny


def facts(*, height: int = 480, width: int = 640, num_pictures: int = 205) -> Facts:
    return replace(
        tiny.facts(num_pictures=num_pictures),
        height=height,
        width=width,
        objects=ObjectFacts(width=0.15, height=0.25, small=0.1, per_picture=12.0),
    )


def config(of: Facts, *, image_size: int = 320, steps: int = 1000) -> RunConfig:
    return detect(
        of,
        source="pictures",
        model="vit-nano8",
        image_size=image_size,
        steps=steps,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=0,
    )


def test_the_config_is_complete_and_knows_the_usual_object() -> None:
    made = check(config(facts()))

    assert made.job == "detect"
    assert isinstance(made.task, DetectConfig)
    assert (made.task.object_width, made.task.object_height) == (0.15, 0.25)


def test_objects_that_fill_the_picture_keep_the_guess_away_from_its_border() -> None:
    whole = replace(facts(), objects=ObjectFacts(width=1.0, height=0.0, small=1.0, per_picture=1.0))

    task = check(config(whole)).task

    assert isinstance(task, DetectConfig)
    assert (task.object_width, task.object_height) == (0.95, 0.01)


def test_without_objects_the_guess_is_the_default() -> None:
    assert config(replace(facts(), objects=None)).task == DetectConfig()


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (480, 640, (240, 320)),
        (640, 480, (320, 240)),
        (100, 100, (320, 320)),
        (10, 1000, (8, 320)),
        (0, 0, (320, 320)),
    ],
)
def test_the_input_has_the_usual_aspect_in_whole_patches(
    height: int, width: int, expected: tuple[int, int]
) -> None:
    of = facts(height=height, width=width)

    preprocess = preprocess_for_objects(config(of), of)

    assert (preprocess.height, preprocess.width) == expected
    assert preprocess.fit == "squash"


def test_boxes_are_not_turned_and_few_looks_change_pictures_little() -> None:
    few, many = config(facts(), steps=50).augment, config(facts(), steps=5000).augment

    assert few.rotate_degrees == many.rotate_degrees == few.shear == many.shear == 0
    assert few.zoom < many.zoom
    assert few.translate < many.translate


def test_made_up_objects_lie_inside_the_input() -> None:
    of = facts()
    made = config(of)
    preprocess = preprocess_for_objects(made, of)

    targets = detect_targets(made, preprocess, 3, 5)

    low, high = targets.boxes_xyxy[..., :2], targets.boxes_xyxy[..., 2:]
    assert len(targets.labels) == 5
    assert (low >= 0).all()
    assert (high > low).all()
    assert (high <= torch.tensor([preprocess.width, preprocess.height])).all()
    assert 0 <= targets.labels.min() <= targets.labels.max() < 3


def test_fewer_pictures_are_seen_more_often() -> None:
    assert wanted_epochs_for_objects(100) == 200
    assert wanted_epochs_for_objects(5000) == 40
    assert wanted_epochs_for_objects(10**6) == 20


@pytest.mark.parametrize(
    ("side", "patch"), [(32, 2), (64, 4), (96, 8), (224, 8), (320, 8), (448, 16), (16, 2)]
)
def test_at_least_twelve_tokens_stand_side_by_side_unless_pictures_are_tiny(
    side: int, patch: int
) -> None:
    assert patch_for_objects(side) == patch
