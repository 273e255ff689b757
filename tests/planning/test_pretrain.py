"""The recipe suits the method, the pictures and the model, and says so when it cannot."""

from dataclasses import replace
from typing import Any

import pytest

from saccade.config.check import check
from saccade.config.json import from_json, override, to_json
from saccade.config.model import VitConfig
from saccade.config.run import RunConfig
from saccade.config.task import PretrainConfig
from saccade.errors import UsageError
from saccade.planning.budget import wanted_epochs
from saccade.planning.pretrain import (
    METHODS,
    REGULARISERS,
    method_of,
    no_targets,
    pretrain,
    pretraining_epochs,
)
from tests import tiny
from tests.contract.worlds.world import RAG, VIT


def recipe(method: str = "visreg", **changes: Any) -> RunConfig:
    given: dict[str, Any] = {
        "facts": tiny.facts(num_pictures=10_000),
        "source": "pictures",
        "model": "vit-nano4",
        "image_size": 32,
        "steps": 1000,
        "budget_seconds": None,
        "precision": "fp32",
        "num_threads": 1,
        "seed": 0,
    } | changes
    return pretrain(given.pop("facts"), method=method, **given)


def numbers(config: RunConfig) -> PretrainConfig:
    assert isinstance(config.task, PretrainConfig)
    return config.task


@pytest.mark.parametrize("method", METHODS)
def test_each_method_gets_a_config_that_holds_and_goes_through_json(method: str) -> None:
    config = check(recipe(method))

    assert config.job == "pretrain"
    assert numbers(config).method == method
    assert numbers(config).regulariser == REGULARISERS[method]
    assert from_json(RunConfig, to_json(config)) == config


@pytest.mark.parametrize(
    ("model", "image_size", "expected"),
    [("vit-nano4", 32, 16), ("vit-nano8", 32, 16), ("vit-s16", 224, 112), ("vit-s16", 16, 16)],
)
def test_local_views_are_half_as_large_in_whole_patches(
    model: str, image_size: int, expected: int
) -> None:
    assert numbers(recipe(model=model, image_size=image_size)).local_size == expected


def test_views_are_mirrored_only_where_mirrors_keep_their_class() -> None:
    safe, unsafe = (
        numbers(recipe(facts=tiny.facts(num_pictures=10_000, mirror_ratio=ratio)))
        for ratio in (1.0, 0.1)
    )

    assert (safe.flip, unsafe.flip) == (0.5, 0.0)


def test_pictures_are_hardly_changed_before_views_are_made_of_them() -> None:
    views, mae = recipe("visreg").augment, recipe("mae").augment

    off = {"rotate_degrees": 0.0, "shear": 0.0, "colour": 0.0, "erase": 0.0}
    assert views == replace(views, translate=0.0, zoom=0.0, **off)
    assert mae == replace(mae, **off)
    assert mae.zoom > 0
    unsafe = recipe("mae", facts=tiny.facts(mirror_ratio=0.1)).augment
    assert (views.flip, mae.flip, unsafe.flip) == (0.5, 0.5, 0.0)


def test_mae_takes_patches_where_a_name_leaves_the_stem_open() -> None:
    views, mae = recipe("visreg").model, recipe("mae").model

    assert isinstance(views, VitConfig)
    assert isinstance(mae, VitConfig)
    assert (views.stem, mae.stem) == ("conv", "patches")


@pytest.mark.parametrize("model", ["rag-nano4", "cnn-nano4", RAG, replace(VIT, stem="conv")])
def test_mae_refuses_models_and_weights_that_it_cannot_train(model: Any) -> None:
    with pytest.raises(UsageError, match="mae hides patches"):
        recipe("mae", model=model)


def test_a_decoder_is_narrower_than_its_encoder_and_its_heads_divide_it() -> None:
    for model in ("vit-pico4", "vit-ti16", "vit-b16"):
        config = recipe("mae", model=model)
        task = numbers(config)
        assert task.decoder_dim < config.model.embed_dim
        assert task.decoder_dim % task.decoder_heads == 0


def test_the_method_is_visreg_unless_said_and_misspelt_ones_get_an_offer() -> None:
    assert method_of({}) == "visreg"
    assert method_of({"task.method": "dino"}) == "dino"
    with pytest.raises(UsageError, match="did you mean 'visreg'"):
        method_of({"task.method": "visregg"})


@pytest.mark.parametrize(
    ("name", "value"), [("task.hidden", "1"), ("task.flip", "2"), ("task.regulariser", "-1")]
)
def test_numbers_that_no_run_can_use_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        check(override(recipe(), {name: value}))


def test_pictures_are_seen_more_often_than_with_labels() -> None:
    assert pretraining_epochs(10_000) > 2 * wanted_epochs(10_000)


def test_there_are_no_targets_to_time_a_step_with() -> None:
    assert no_targets(recipe(), tiny.preprocess(), 3, 16) is None


def test_small_pictures_have_local_views_of_more_of_them() -> None:
    small, large = (numbers(recipe(model="vit-pico8", image_size=side)) for side in (32, 128))

    assert (small.smallest_local, small.largest_local) == (0.2, 0.6)
    assert (large.smallest_local, large.largest_local) == (0.1, 0.4)


def test_the_learning_rate_falls_with_the_width_to_the_published_one() -> None:
    narrow = recipe(model="vit-pico8")
    published = recipe(model="vit-s16", image_size=224, facts=tiny.facts(num_pictures=60_000))

    assert (narrow.data.batch_size, published.data.batch_size) == (64, 128)
    assert narrow.optim.lr == pytest.approx(3e-3)
    assert published.optim.lr == pytest.approx(1e-3, rel=0.1)
    assert recipe("mae", model="vit-pico8").optim.lr == pytest.approx(1.5e-3)
