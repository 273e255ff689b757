"""VideoMAE of transformers: its table of positions, its biases, and the two norms it ends in."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from saccade.errors import DataError, UsageError
from saccade.weights.hf.config import Description, Layout
from saccade.weights.hf.videomae import DEFAULTS, read_videomae, sinusoids, videomae_config
from saccade.weights.rename import write_tensors
from tests.weights.hf.models import VIDEO, VIDEO_CLASSIFIER, drawn


def layout(config: dict[str, Any], *names: str) -> Layout:
    described = Description(
        given=config,
        defaults=DEFAULTS,
        tensors={name: torch.empty(0) for name in names},
        left_out=frozenset(),
        source="F",
    )
    return read_videomae(described)


def test_the_table_is_its_formula_token_by_token() -> None:
    expected = torch.tensor(
        [
            [
                (math.cos if channel % 2 else math.sin)(token / 10_000 ** (channel // 2 * 2 / 6))
                for channel in range(6)
            ]
            for token in range(5)
        ]
    )

    torch.testing.assert_close(sinusoids(5, 6)[0], expected, rtol=0, atol=1e-7)


def test_the_names_are_those_of_published_files() -> None:
    model = replace(VIDEO_CLASSIFIER, depth=1)
    rules = layout(videomae_config(model, has_head=True), "videomae.").rules

    names = set(write_tensors(drawn(model, num_classes=2), rules=rules))

    block = "videomae.encoder.layer.0"
    with_bias = (
        "videomae.embeddings.patch_embeddings.projection",
        f"{block}.layernorm_before",
        f"{block}.attention.output.dense",
        f"{block}.layernorm_after",
        f"{block}.intermediate.dense",
        f"{block}.output.dense",
        "fc_norm",
        "classifier",
    )
    attention = f"{block}.attention.attention"
    assert names == {f"{name}.{part}" for name in with_bias for part in ("weight", "bias")} | {
        f"{attention}.{kind}.weight" for kind in ("query", "key", "value")
    } | {f"{attention}.q_bias", f"{attention}.v_bias"}


def test_the_shape_is_read_as_it_was_described() -> None:
    assert layout(videomae_config(VIDEO, has_head=False)).model == VIDEO
    classifier = videomae_config(VIDEO_CLASSIFIER, has_head=True)
    assert layout(classifier).model == VIDEO_CLASSIFIER


def test_the_norm_after_pooling_has_its_own_epsilon_whatever_the_others_have() -> None:
    config = videomae_config(VIDEO_CLASSIFIER, has_head=True) | {"layer_norm_eps": 1e-12}

    model = layout(config).model

    assert (model.norm_eps, model.pooled_norm_eps) == (1e-12, 1e-5)


def test_a_trained_table_cannot_be_written() -> None:
    rules = layout(videomae_config(VIDEO, has_head=False)).rules
    ours = drawn(VIDEO, num_classes=0)
    ours["backbone.position.table"] = ours["backbone.position.table"] + 1e-6

    with pytest.raises(UsageError, match=r"position\.table has been trained"):
        write_tensors(ours, rules=rules)


def test_a_bias_of_keys_cannot_be_written() -> None:
    rules = layout(videomae_config(VIDEO, has_head=False)).rules
    ours = drawn(VIDEO, num_classes=0)
    ours["backbone.blocks.0.attention.qkv.bias"][17] = 0.5

    with pytest.raises(UsageError, match=r"qkv\.bias cannot be written"):
        write_tensors(ours, rules=rules)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"use_mean_pooling": False}, "reads the first tubelet alone"),
        ({"tubelet_size": 1}, "tubelets of 1 in clips of 4"),
        ({"num_frames": 1}, "tubelets of 2 in clips of 1"),
    ],
)
def test_what_ours_cannot_follow_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        layout(videomae_config(VIDEO_CLASSIFIER, has_head=True) | change)


def test_a_pooled_model_without_its_norm_is_refused_and_one_without_its_head_is_not() -> None:
    config = videomae_config(VIDEO_CLASSIFIER, has_head=False)

    with pytest.raises(DataError, match="the file has none"):
        layout(config)
    assert layout(config, "fc_norm.weight").model == VIDEO_CLASSIFIER
