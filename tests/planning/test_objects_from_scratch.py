"""Objects that a training is too short for are not tried, unless somebody asks for them."""

from dataclasses import replace

import pytest

from saccade.planning.budget import Candidate, Choice
from saccade.planning.objects_from_scratch import pixels_instead
from saccade.planning.segment import segment
from tests import tiny

CONFIG = segment(
    replace(tiny.facts(), num_segments=9),
    source="pictures",
    model="vit-pico4",
    image_size=32,
    steps=50,
    budget_seconds=None,
    precision="fp32",
    num_threads=1,
    seed=0,
)


@pytest.mark.parametrize(
    ("seconds_per_step", "wanted"), [(1.5, "--budget 26m or more"), (None, "--steps 1000 or more")]
)
def test_it_is_said_what_objects_would_take(seconds_per_step: float | None, wanted: str) -> None:
    found = pixels_instead(CONFIG, Choice(Candidate("vit-pico4", 60), seconds_per_step, 50), {})

    assert found is not None
    assert found.settings == {"task.method": "upsample"}
    assert wanted in found.reason


@pytest.mark.parametrize("name", ["task.method", "task.num_queries", "task.stuff"])
def test_who_asks_for_objects_gets_them(name: str) -> None:
    choice = Choice(Candidate("vit-pico4", 60), 1.5, 50)
    assert pixels_instead(CONFIG, choice, {name: "20"}) is None
    assert pixels_instead(CONFIG, choice, {"optim.lr": "1e-3"}) is not None


def test_enough_steps_are_for_objects() -> None:
    choice = Choice(Candidate("vit-pico4", 60), 1.5, 1000)
    assert pixels_instead(replace(CONFIG, steps=1000), choice, {}) is None
