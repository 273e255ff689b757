"""From facts to a config: complete, in range and buildable, for any data and any model."""

import dataclasses
import math
from typing import Any

import pytest
import torch

from saccade.backbones.sizes import CNN_WIDTHS, FAMILIES
from saccade.config.check import check
from saccade.config.model import RagConfig, VitConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.planning.classify import (
    PHOTO_SIDES,
    SMALLEST_SIDE,
    TEST_FRACTION,
    VAL_FRACTION,
    augmentation,
    batch_size_for,
    classify,
    fresh_model,
    natural_side,
    patch_for,
)
from saccade.planning.facts import Facts
from saccade.planning.mirror import SAFE_RATIO
from saccade.tasks.build import build_task
from tests import tiny


def recipe(facts: Facts | None = None, **options: Any) -> RunConfig:
    given: dict[str, Any] = {
        "source": "pictures",
        "model": "rag-pico4",
        "image_size": 32,
        "steps": 1000,
        "budget_seconds": None,
        "precision": "fp32",
        "num_threads": 2,
        "seed": 5,
    }
    return classify(facts or tiny.facts(), **(given | options))


@pytest.mark.parametrize(
    ("ratio", "flip"), [(0.0, 0.0), (SAFE_RATIO - 1e-6, 0.0), (SAFE_RATIO, 0.5), (1.2, 0.5)]
)
def test_flips_are_off_when_mirrors_lose_their_class(ratio: float, flip: float):
    assert recipe(tiny.facts(mirror_ratio=ratio)).augment.flip == flip


@pytest.mark.parametrize(
    ("image_size", "patch_size"),
    [
        (8, 2),
        (16, 2),
        (27, 2),
        (28, 4),
        (32, 4),
        (55, 4),
        (56, 8),
        (64, 8),
        (96, 8),
        (112, 16),
        (128, 16),
        (224, 16),
        (1024, 16),
    ],
)
def test_the_patch_is_the_largest_that_leaves_7_x_7_tokens(image_size: int, patch_size: int):
    assert patch_for(image_size) == patch_size
    assert image_size < 14 or image_size // patch_size >= 7
    assert patch_size == 16 or image_size // (2 * patch_size) < 7


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (1, 16),
        (8, 16),
        (16, 16),
        (17, 20),
        (28, 28),
        (32, 32),
        (39, 40),
        (40, 40),
        (41, 64),
        (64, 64),
        (79, 64),
        (81, 96),
        (100, 96),
        (128, 128),
        (133, 128),
        (134, 160),
        (187, 224),
        (224, 224),
        (5000, 224),
    ],
)
def test_the_training_side_is_close_to_the_pictures_own(side: int, expected: int):
    assert natural_side(side) == expected
    assert expected in PHOTO_SIDES or SMALLEST_SIDE <= expected <= 40


@pytest.mark.parametrize("size", CNN_WIDTHS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_recipe_passes_the_check_and_builds_a_model_that_answers(family: str, size: str):
    for image_size in (16, 28, 224):
        model = f"{family}-{size}{patch_for(image_size)}"
        config = recipe(model=model, image_size=image_size)
        assert check(config) is config
        preprocess = Preprocess(
            height=image_size,
            width=image_size,
            channels=config.data.channels,
            fit=config.data.fit,
            mean=(0.5,) * 3,
            std=(0.25,) * 3,
        )
        with torch.device("meta"):  # shapes without numbers: the largest takes no memory
            task = build_task(config, class_names=tiny.CLASSES, preprocess=preprocess).eval()
            images = torch.empty(2, 3, image_size, image_size, dtype=torch.uint8)
        assert task(images).logits.shape == (2, 3)


@pytest.mark.parametrize("steps", [1, 2, 3, 11, 100, 10**6])
@pytest.mark.parametrize("num_pictures", [1, 31, 499, 500, 8000, 10**7])
def test_every_length_of_training_on_any_number_of_pictures_is_in_range(
    steps: int, num_pictures: int
):
    config = recipe(tiny.facts(num_pictures=num_pictures), steps=steps)
    assert check(config) is config
    assert config.steps == steps
    assert config.evaluate_every <= steps
    assert config.save_every <= steps
    assert config.log_every <= steps


def test_what_was_given_is_in_the_config_as_given():
    config = recipe(
        model="vit-ti8",
        image_size=64,
        steps=123,
        budget_seconds=60.0,
        precision="bf16",
        num_threads=3,
        seed=9,
    )
    assert (config.steps, config.budget_seconds, config.seed) == (123, 60.0, 9)
    assert (config.data.source, config.data.image_size, config.data.num_threads) == (
        "pictures",
        64,
        3,
    )
    assert config.precision == "bf16"
    assert config.model == fresh_model("vit-ti8", 64)
    assert (config.data.val_fraction, config.data.test_fraction) == (VAL_FRACTION, TEST_FRACTION)


@pytest.mark.parametrize(("is_grey", "channels"), [(True, 1), (False, 3)])
def test_grey_pictures_stay_grey(is_grey: bool, channels: int):
    facts = dataclasses.replace(tiny.facts(), is_grey=is_grey)
    assert recipe(facts).data.channels == channels


def test_the_learning_rate_follows_the_root_of_the_batch_and_of_the_width():
    def lr(num_pictures: int, model: str) -> float:
        return recipe(tiny.facts(num_pictures=num_pictures), model=model).optim.lr

    assert (batch_size_for(100), batch_size_for(1000), batch_size_for(10_000)) == (32, 64, 128)
    assert lr(10_000, "cnn-nano4") / lr(100, "cnn-nano4") == pytest.approx(2)
    assert lr(10_000, "cnn-nano4") / lr(1000, "cnn-nano4") == pytest.approx(math.sqrt(2))
    assert lr(1000, "cnn-s4") / lr(1000, "cnn-b4") == pytest.approx(math.sqrt(2))
    assert lr(1000, "cnn-pico4") == lr(1000, "cnn-nano4")  # never above the rate of width 128


def test_pictures_seen_for_60_epochs_are_changed_as_much_as_they_ever_are():
    once, often, oftener = (
        augmentation(tiny.facts(), epochs=epochs, image_size=32) for epochs in (0.0, 60.0, 600.0)
    )
    assert often == oftener
    assert (once.rotate_degrees, once.shear, once.colour, once.erase) == (0, 0, 0, 0)
    assert once != often


def test_how_often_pictures_are_seen_is_steps_times_batch_over_pictures():
    # 60 epochs of 1,280 pictures in batches of 64.
    few, full = (
        recipe(tiny.facts(num_pictures=1280), steps=steps).augment for steps in (600, 1200)
    )
    expected = augmentation(tiny.facts(), epochs=30.0, image_size=32)
    assert few == expected
    assert full == augmentation(tiny.facts(), epochs=60.0, image_size=32)


@pytest.mark.parametrize("image_size", [8, 16, 20])
def test_small_pictures_are_shifted_by_a_pixel_and_a_half_at_least(image_size: int):
    found = augmentation(tiny.facts(), epochs=0.0, image_size=image_size)
    assert found.translate * image_size == pytest.approx(1.5)


@pytest.mark.parametrize(("name", "cells"), [("vit-pico4", 8), ("rag-nano8", 4), ("vit-s5", 7)])
def test_learned_positions_would_be_kept_for_the_grid_of_these_pictures(
    name: str, cells: int
) -> None:
    model = fresh_model(name, 32)

    assert isinstance(model, VitConfig | RagConfig)
    assert model.position_grid == (1, cells, cells)
