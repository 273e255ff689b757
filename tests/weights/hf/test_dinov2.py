"""DINOv2 of transformers: published names, hidden widths, and how registers change it."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from saccade.config.model import VitConfig
from saccade.errors import DataError, UsageError
from saccade.weights.hf.config import Description, Layout
from saccade.weights.hf.dinov2 import (
    DEFAULTS,
    REGISTER_DEFAULTS,
    dinov2_config,
    hidden_width,
    read_dinov2,
    read_dinov2_with_registers,
)
from saccade.weights.rename import write_tensors
from tests.weights.hf.models import DINOV2, GIANT, REGISTERS, drawn

BLOCK = {
    f"{layer}.{part}"
    for layer in (
        "norm1",
        "attention.attention.query",
        "attention.attention.key",
        "attention.attention.value",
        "attention.output.dense",
        "norm2",
    )
    for part in ("weight", "bias")
} | {"layer_scale1.lambda1", "layer_scale2.lambda1"}


def layout(config: dict[str, Any], *names: str) -> Layout:
    has_registers = config["model_type"] == "dinov2_with_registers"
    described = Description(
        given=config,
        defaults=REGISTER_DEFAULTS if has_registers else DEFAULTS,
        tensors={name: torch.empty(0) for name in names},
        left_out=frozenset(),
        source="F",
    )
    return (read_dinov2_with_registers if has_registers else read_dinov2)(described)


def names_of(model: VitConfig) -> set[str]:
    rules = layout(dinov2_config(model, has_head=False)).rules
    return set(write_tensors(drawn(model, num_classes=0), rules=rules))


def test_the_names_are_those_of_published_files() -> None:
    embeddings = {
        "embeddings.cls_token",
        "embeddings.position_embeddings",
        "embeddings.patch_embeddings.projection.weight",
        "embeddings.patch_embeddings.projection.bias",
        "layernorm.weight",
        "layernorm.bias",
    }
    plain = {"mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias"}
    gated = {
        f"mlp.weights_{where}.{part}" for where in ("in", "out") for part in ("weight", "bias")
    }

    assert names_of(replace(DINOV2, depth=1)) == embeddings | {
        f"encoder.layer.0.{name}" for name in BLOCK | plain
    }
    assert names_of(replace(GIANT, depth=1)) == embeddings | {"embeddings.register_tokens"} | {
        f"encoder.layer.0.{name}" for name in BLOCK | gated
    }


@pytest.mark.parametrize("model", [DINOV2, REGISTERS, GIANT])
def test_the_shape_is_read_as_it_was_described(model: VitConfig) -> None:
    for has_head in (False, True):
        assert layout(dinov2_config(model, has_head=has_head)).model == model


def test_the_giant_has_the_hidden_width_that_was_published() -> None:
    # 1536 wide, ratio 4: SwiGLU with 4096 hidden units (arXiv 2304.07193, table 17).
    assert hidden_width(1536, ratio=4, is_gated=True) == 4096
    assert hidden_width(768, ratio=4, is_gated=False) == 3072
    assert hidden_width(40, ratio=4, is_gated=True) == 112  # 106.7, up to a multiple of 8


def test_only_hidden_widths_of_a_whole_ratio_can_be_written() -> None:
    with pytest.raises(UsageError, match=r"40 wide.*a whole multiple of the width 16"):
        dinov2_config(replace(DINOV2, mlp_ratio=2.5), has_head=False)
    with pytest.raises(UsageError, match=r"69 wide.*two thirds"):
        dinov2_config(replace(GIANT, embed_dim=24, mlp_ratio=64 / 24 + 0.2), has_head=False)


def test_a_gate_kept_apart_is_stacked_before_the_values() -> None:
    config = dinov2_config(GIANT, has_head=False)
    apart = layout(config, "encoder.layer.0.mlp.gate_proj.weight")
    ours = drawn(GIANT, num_classes=0)

    theirs = write_tensors(ours, rules=apart.rules)

    widen = ours["backbone.blocks.0.mlp.widen.weight"]
    assert torch.equal(theirs["encoder.layer.0.mlp.gate_proj.weight"], widen[:48])
    assert torch.equal(theirs["encoder.layer.0.mlp.up_proj.weight"], widen[48:])


def test_the_class_with_registers_has_their_tensor_even_when_there_are_none() -> None:
    config = dinov2_config(REGISTERS, has_head=False) | {"num_register_tokens": 0}
    model = replace(REGISTERS, num_registers=0)
    found = layout(config)

    theirs = write_tensors(drawn(model, num_classes=0), rules=found.rules)

    assert found.model == model
    assert theirs["embeddings.register_tokens"].shape == (1, 0, 16)


def test_only_the_class_with_registers_resamples_with_antialiasing() -> None:
    assert not layout(dinov2_config(DINOV2, has_head=False)).model.position_antialias
    assert layout(dinov2_config(REGISTERS, has_head=False)).model.position_antialias


def test_a_ratio_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(DataError, match=r"mlp_ratio = 2\.5; expected a whole number"):
        layout(dinov2_config(DINOV2, has_head=False) | {"mlp_ratio": 2.5})


def test_a_gated_mlp_bends_with_silu_whatever_the_file_says_of_the_other_kind() -> None:
    published = dinov2_config(GIANT, has_head=False) | {"hidden_act": "gelu"}

    assert layout(published).model.activation == "silu"
