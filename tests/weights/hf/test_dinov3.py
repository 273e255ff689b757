"""DINOv3 of transformers: published names, and its choice of biases."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from saccade.config.model import VitConfig
from saccade.errors import DataError
from saccade.weights.hf.config import Description, Layout
from saccade.weights.hf.convert import to_transformers
from saccade.weights.hf.dinov3 import DEFAULTS, dinov3_config, read_dinov3
from saccade.weights.rename import write_tensors
from tests.weights.hf.models import DINOV3, PREPROCESS, drawn

GATED = replace(DINOV3, has_gated_mlp=True, activation="silu", has_qkv_bias=False, num_registers=0)


def layout(config: dict[str, Any]) -> Layout:
    described = Description(
        given=config, defaults=DEFAULTS, tensors={}, left_out=frozenset(), source="F"
    )
    return read_dinov3(described)


def test_the_names_are_those_of_published_files() -> None:
    model = replace(DINOV3, depth=1)
    rules = layout(dinov3_config(model, has_key_bias=False)).rules

    names = set(write_tensors(drawn(model, num_classes=0), rules=rules))

    with_bias = (
        "embeddings.patch_embeddings",
        "norm",
        "layer.0.norm1",
        "layer.0.attention.q_proj",
        "layer.0.attention.v_proj",
        "layer.0.attention.o_proj",
        "layer.0.norm2",
        "layer.0.mlp.up_proj",
        "layer.0.mlp.down_proj",
    )
    assert names == {f"{name}.{part}" for name in with_bias for part in ("weight", "bias")} | {
        "embeddings.cls_token",
        "embeddings.register_tokens",
        "layer.0.attention.k_proj.weight",
        "layer.0.layer_scale1.lambda1",
        "layer.0.layer_scale2.lambda1",
    }


@pytest.mark.parametrize("model", [DINOV3, GATED])
def test_the_shape_is_read_as_it_was_described(model: VitConfig) -> None:
    assert layout(dinov3_config(model, has_key_bias=False)).model == model


def test_the_gate_of_the_mlp_comes_before_its_values() -> None:
    ours = drawn(GATED, num_classes=0)

    theirs = write_tensors(ours, rules=layout(dinov3_config(GATED, has_key_bias=False)).rules)

    widen = ours["backbone.blocks.1.mlp.widen.bias"]
    assert torch.equal(theirs["layer.1.mlp.gate_proj.bias"], widen[:40])
    assert torch.equal(theirs["layer.1.mlp.up_proj.bias"], widen[40:])
    assert not any("q_proj.bias" in name for name in theirs)


def test_biases_of_keys_are_written_only_when_one_is_not_zero() -> None:
    ours = drawn(DINOV3, num_classes=0)

    without = to_transformers(ours, DINOV3, class_names=(), preprocess=PREPROCESS)
    ours["backbone.blocks.1.attention.qkv.bias"][20] = 0.5
    with_bias = to_transformers(ours, DINOV3, class_names=(), preprocess=PREPROCESS)

    assert (without.config["key_bias"], with_bias.config["key_bias"]) == (False, True)
    bias = ours["backbone.blocks.1.attention.qkv.bias"]
    for files in (without, with_bias):
        assert torch.equal(files.tensors["layer.1.attention.q_proj.bias"], bias[:16])
        assert torch.equal(files.tensors["layer.1.attention.v_proj.bias"], bias[32:])
    assert with_bias.tensors["layer.1.attention.k_proj.bias"][4] == 0.5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"proj_bias": False}, "proj_bias = False.*output has a bias"),
        ({"mlp_bias": False}, "mlp_bias = False.*MLP has biases"),
        ({"value_bias": False}, "the same for queries and values"),
        ({"query_bias": False, "value_bias": False, "key_bias": True}, "keys without one"),
        ({"num_attention_heads": 8}, "heads are 2 wide.*multiple of 4"),
        ({"num_register_tokens": -1}, "num_register_tokens = -1; expected"),
    ],
)
def test_a_choice_that_no_published_size_has_is_refused(
    change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        layout(dinov3_config(DINOV3, has_key_bias=False) | change)
