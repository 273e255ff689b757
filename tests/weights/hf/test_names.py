"""Newer names of tensors become the published ones, and published ones stay."""

import pytest
import torch

from saccade.errors import DataError
from saccade.weights.hf.names import published, with_published_names

SPELLINGS = [
    (
        "vit",
        "vit.layers.11.attention.q_proj.weight",
        "vit.encoder.layer.11.attention.attention.query.weight",
    ),
    ("vit", "layers.0.attention.o_proj.bias", "encoder.layer.0.attention.output.dense.bias"),
    ("vit", "layers.0.mlp.fc1.bias", "encoder.layer.0.intermediate.dense.bias"),
    ("deit", "deit.layers.3.mlp.fc2.weight", "deit.encoder.layer.3.output.dense.weight"),
    ("vit_mae", "vit.layers.3.layernorm_after.bias", "vit.encoder.layer.3.layernorm_after.bias"),
    (
        "dinov2",
        "encoder.layer.0.attention.k_proj.bias",
        "encoder.layer.0.attention.attention.key.bias",
    ),
    ("dinov2", "encoder.layer.0.mlp.fc1.bias", "encoder.layer.0.mlp.fc1.bias"),
    (
        "dinov2_with_registers",
        "encoder.layer.0.mlp.down_proj.bias",
        "encoder.layer.0.mlp.weights_out.bias",
    ),
    ("dinov3_vit", "model.layer.7.mlp.up_proj.weight", "layer.7.mlp.up_proj.weight"),
    (
        "videomae",
        "videomae.encoder.layer.0.attention.attention.value.bias",
        "videomae.encoder.layer.0.attention.attention.v_bias",
    ),
    ("another", "layers.0.mlp.fc1.bias", "layers.0.mlp.fc1.bias"),
]


@pytest.mark.parametrize(("model_type", "newer", "older"), SPELLINGS)
def test_a_name_is_spelled_as_in_published_files(model_type: str, newer: str, older: str) -> None:
    assert published(newer, model_type=model_type) == older
    assert published(older, model_type=model_type) == older


def test_a_file_that_holds_both_spellings_is_refused() -> None:
    one = torch.zeros(1)
    both = {"layer.0.norm1.bias": one, "model.layer.0.norm1.bias": one}

    assert list(with_published_names({"norm.bias": one}, model_type="vit", source="F")) == [
        "norm.bias"
    ]
    with pytest.raises(DataError, match=r"F: it holds layer\.0\.norm1\.bias twice"):
        with_published_names(both, model_type="dinov3_vit", source="F")
