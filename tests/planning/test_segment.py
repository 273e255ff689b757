"""The method follows from the masks, and the input keeps the pictures' aspect."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from saccade.config.check import check
from saccade.config.run import RunConfig
from saccade.config.task import SegmentConfig
from saccade.data.annotated import open_masks
from saccade.data.batch import Batch
from saccade.data.targets import MapTargets, SegmentTargets
from saccade.planning.facts import Facts, look
from saccade.planning.segment import made_up_targets, preprocess_for, segment
from saccade.tasks.build import build_task
from tests import tiny
from tests.jobs.segment.worlds import write_masks


def facts(*, num_segments: int | None = None, height: int = 0, width: int = 0) -> Facts:
    return replace(tiny.facts(), num_segments=num_segments, height=height, width=width)


def config(given: Facts, *, steps: int = 100) -> RunConfig:
    return segment(
        given,
        source="pictures",
        model="vit-pico4",
        image_size=32,
        steps=steps,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=0,
    )


def task_of(config: RunConfig) -> SegmentConfig:
    assert isinstance(config.task, SegmentConfig)
    return config.task


def test_masks_of_classes_are_learned_by_upsampling_and_objects_by_queries() -> None:
    classes, objects = task_of(config(facts())), task_of(config(facts(num_segments=3)))

    assert (classes.method, classes.truth) == ("upsample", "classes")
    assert (objects.method, objects.truth) == ("eomt", "segments")
    assert config(facts()).job == "segment"


def test_what_the_masks_hold_is_seen_in_the_source(tmp_path: Path) -> None:
    classes = open_masks(write_masks(tmp_path / "classes", numbers_objects=False)).splits["all"]
    objects = open_masks(write_masks(tmp_path / "objects", numbers_objects=True)).splits["all"]

    assert look(classes, num_classes=4).num_segments is None
    assert look(objects, num_classes=1).num_segments == 1
    assert look(objects, num_classes=1).mirror_ratio == 1.0  # there is but one class


@pytest.mark.parametrize(("num_segments", "queries"), [(0, 20), (12, 30), (50, 100), (300, 200)])
def test_there_are_queries_to_spare(num_segments: int, queries: int) -> None:
    assert task_of(config(facts(num_segments=num_segments))).num_queries == queries


def test_the_config_is_one_that_can_be_run() -> None:
    for given in (facts(), facts(num_segments=3)):
        check(config(given))


def test_nothing_is_erased_or_cut_off() -> None:
    made = config(facts(), steps=10_000)

    assert made.augment.erase == 0
    assert made.augment.zoom > 0
    assert made.data.fit == "pad"


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (0, 0, (32, 32)),
        (100, 100, (32, 32)),
        (480, 640, (24, 32)),
        (90, 30, (32, 12)),
        (1, 900, (4, 32)),
    ],
)
def test_the_input_has_the_usual_aspect_in_whole_patches(
    height: int, width: int, expected: tuple[int, int]
) -> None:
    given = facts(height=height, width=width)

    made = preprocess_for(config(given), given)

    assert (made.height, made.width) == expected
    assert made.fit == "pad"


@pytest.mark.parametrize("num_segments", [None, 3])
def test_made_up_targets_can_be_learned_from(num_segments: int | None) -> None:
    given = facts(num_segments=num_segments, height=24, width=32)
    made = config(given)
    preprocess = preprocess_for(made, given)

    targets = made_up_targets(made, preprocess, 3, 2)

    task = build_task(made, class_names=tiny.CLASSES, preprocess=preprocess)
    images = torch.zeros(2, 3, preprocess.height, preprocess.width, dtype=torch.uint8)
    batch = Batch(images=images, targets=targets, ids=torch.arange(2))
    assert task.loss(batch, progress=0.0)["loss"] > 0
    assert isinstance(targets, MapTargets if num_segments is None else SegmentTargets)
