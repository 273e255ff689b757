"""A plan says what was asked for, what was rounded, and what will not come of it."""

from dataclasses import replace
from typing import Any

import torch

from saccade.config.task import SegmentConfig
from saccade.jobs.find import find_job
from saccade.planning.plan import Plan, Wish, plan
from tests import tiny


def planned(
    job: str, model: str, *, steps: int = 50, num_segments: int | None = None, **settings: str
) -> Plan:
    given = {name.replace("__", "."): value for name, value in settings.items()}
    return plan(
        Wish(model=model, budget_seconds=None, epochs=None, steps=steps, settings=given),
        replace(tiny.facts(), height=60, width=60, num_segments=num_segments),
        recipe=find_job(job).recipe(given),
        source="pictures",
        training_seconds=None,
        device=torch.device("cpu"),
        num_threads=1,
    )


def lines(job: str, model: str, *, steps: int = 50, **settings: Any) -> tuple[str, ...]:
    return planned(job, model, steps=steps, **settings).lines


def method_of(found: Plan) -> str:
    assert isinstance(found.config.task, SegmentConfig)
    return found.config.task.method


def test_a_size_that_is_no_whole_number_of_patches_is_said() -> None:
    said = "\n".join(lines("detect", "rag-pico8", data__image_size="50"))
    assert "48 x 48 pixels (50 in whole patches)" in said


def test_mirrors_that_were_asked_for_are_not_explained_by_the_data() -> None:
    said = lines("classify", "rag", augment__flip="0")
    assert "mirroring  off, as was asked" in said


def test_masks_of_objects_in_few_steps_from_scratch_are_warned_of() -> None:
    settings = {"task__method": "eomt", "task__truth": "segments"}
    few = lines("segment", "vit-pico4", steps=50, **settings)
    many = lines("segment", "vit-pico4", steps=5000, **settings)
    assert "--set task.method=upsample" in few[-1]
    assert "upsample" not in many[-1]


def test_in_few_steps_from_scratch_the_pixels_of_objects_are_learned_and_it_is_said() -> None:
    few = planned("segment", "vit-pico4", steps=50, num_segments=9)
    many = planned("segment", "vit-pico4", steps=1000, num_segments=9)
    asked = planned("segment", "vit-pico4", steps=50, num_segments=9, task__method="eomt")
    queries = planned("segment", "vit-pico4", steps=50, num_segments=9, task__num_queries="20")

    assert method_of(few) == "upsample"
    assert isinstance(few.config.task, SegmentConfig)
    assert few.config.task.truth == "segments"  # the masks are what they are
    assert few.notes == few.lines[-1:]
    assert "50 steps are too few" in few.lines[-1]
    assert "--steps 1000 or more; or --set task.method=eomt" in few.lines[-1]
    assert [method_of(each) for each in (many, asked, queries)] == ["eomt"] * 3
    assert not many.notes
    assert "--set task.method=upsample" in asked.lines[-1]


def test_learning_without_labels_from_few_pictures_is_warned_of() -> None:
    assert "72 pictures teach little without labels" in lines("pretrain", "vit-pico4")[-1]
