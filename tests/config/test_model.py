"""A model's config is frozen data that spells out every number by name."""

import dataclasses
from collections.abc import Callable
from typing import get_args

import pytest

from saccade.config.model import CnnConfig, ModelConfig


def test_a_config_cannot_be_changed(model: ModelConfig) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(model, "embed_dim", model.embed_dim)  # noqa: B010 - the checker knows it is frozen


def test_equal_numbers_make_equal_configs_that_can_be_keys(model: ModelConfig) -> None:
    copy = dataclasses.replace(model)

    assert copy == model
    assert len({copy, model}) == 1
    assert dataclasses.replace(model, embed_dim=32) != model


def test_nothing_that_decides_the_shape_has_a_default(model: ModelConfig) -> None:
    with_default = {
        field.name
        for field in dataclasses.fields(model)
        if field.default is not dataclasses.MISSING
    }

    assert with_default <= {"family", "attention"}


def test_numbers_are_given_by_name() -> None:
    make: Callable[..., CnnConfig] = CnnConfig

    with pytest.raises(TypeError, match="positional"):
        make(16, 2, 4)


def test_every_family_knows_its_own_name() -> None:
    families = [
        next(f.default for f in dataclasses.fields(kind) if f.name == "family")
        for kind in get_args(ModelConfig)
    ]

    assert families == ["vit", "rag", "attncnn", "cnn"]
