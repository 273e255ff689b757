"""A model's config is frozen data that spells out every number by name."""

import dataclasses
from collections.abc import Callable
from typing import get_args

import pytest

from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.tubelets import TubeletEmbed
from saccade.transformer.attention import CosineTemperature, DepthwiseMix
from saccade.transformer.mlp import GatedMlp


def test_a_config_cannot_be_changed(model: ModelConfig) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(model, "embed_dim", model.embed_dim)  # noqa: B010 - the checker knows it is frozen


def test_equal_numbers_make_equal_configs_that_can_be_keys(model: ModelConfig) -> None:
    copy = dataclasses.replace(model)

    assert copy == model
    assert len({copy, model}) == 1
    assert dataclasses.replace(model, embed_dim=32) != model


# What the first models were told. A field of these stays without a default, so that none of it is
# decided here; what came later has the default under which a model is what it was before.
FIRST = {
    VitConfig: "embed_dim depth num_heads mlp_ratio patch_size stem position residual "
    "num_registers has_class_token drop_path",
    RagConfig: "embed_dim depth num_heads mlp_ratio patch_size conv_depth position residual "
    "has_features has_raw_image drop_path",
    AttentionCnnConfig: "embed_dim conv_depth patch_size num_heads num_attentions similarity "
    "projection",
    CnnConfig: "embed_dim conv_depth patch_size",
}


def test_only_what_came_later_has_a_default(model: ModelConfig) -> None:
    without = {
        field.name for field in dataclasses.fields(model) if field.default is dataclasses.MISSING
    }

    assert without == set(FIRST[type(model)].split())


def test_what_came_later_is_off_by_default() -> None:
    """A model that is told nothing of it has exactly the parts of the first ones."""
    vit, rag = model_config("vit-pico4"), model_config("rag-pico4")
    attncnn = model_config("attncnn-pico4")
    parts = {
        type(module)
        for config in (vit, rag, attncnn)
        for module in build_backbone(config, in_channels=3).modules()
    }

    assert not parts & {CosineTemperature, DepthwiseMix, GatedMlp, RotaryPosition, TubeletEmbed}
    assert isinstance(vit, VitConfig)
    assert (vit.window_size, vit.has_qk_norm, vit.has_embed_norm) == (0, False, False)
    assert (vit.activation, vit.norm_eps, vit.pool) == ("gelu", 1e-6, "mean")


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
