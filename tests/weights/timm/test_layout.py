"""One table names timm's tensors for each shape of model that timm has."""

from dataclasses import replace

import pytest

from saccade.config.model import VitConfig
from saccade.weights.blank import blank
from saccade.weights.rename import write_tensors
from saccade.weights.timm.layout import prefix_names, timm_rules

VIT = VitConfig(
    embed_dim=16,
    depth=1,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="learned",
    residual="prenorm",
    num_registers=0,
    has_class_token=True,
    drop_path=0.0,
    position_grid=(1, 3, 3),
    num_prefix_positions=1,
    pool="class",
)

PLAIN = {
    "cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias",
    "blocks.0.norm1.weight", "blocks.0.norm1.bias", "blocks.0.norm2.weight",
    "blocks.0.norm2.bias", "blocks.0.attn.qkv.weight", "blocks.0.attn.qkv.bias",
    "blocks.0.attn.proj.weight", "blocks.0.attn.proj.bias", "blocks.0.mlp.fc1.weight",
    "blocks.0.mlp.fc1.bias", "blocks.0.mlp.fc2.weight", "blocks.0.mlp.fc2.bias",
    "norm.weight", "norm.bias", "head.weight", "head.bias",
}  # fmt: skip


def names(config: VitConfig, *, num_classes: int = 5) -> set[str]:
    rules = timm_rules(config, num_classes=num_classes)
    return set(write_tensors(blank(config, num_classes=num_classes), rules=rules))


@pytest.mark.parametrize(
    ("config", "more", "less"),
    [
        (VIT, set(), set()),
        (replace(VIT, num_registers=4), {"reg_token"}, set()),
        (
            replace(VIT, num_registers=1, pool="distilled"),
            {"dist_token", "head_dist.weight", "head_dist.bias"},
            set(),
        ),
        (
            replace(VIT, residual="layerscale"),
            {"blocks.0.ls1.gamma", "blocks.0.ls2.gamma"},
            set(),
        ),
        (
            replace(VIT, final_norm="pooled"),
            {"fc_norm.weight", "fc_norm.bias"},
            {"norm.weight", "norm.bias"},
        ),
        (
            replace(VIT, has_embed_norm=True, has_patch_bias=False),
            {"norm_pre.weight", "norm_pre.bias"},
            {"patch_embed.proj.bias"},
        ),
        (replace(VIT, has_qkv_bias=False), set(), {"blocks.0.attn.qkv.bias"}),
        (
            replace(VIT, has_class_token=False, num_prefix_positions=0, pool="mean"),
            set(),
            {"cls_token"},
        ),
        (replace(VIT, position="none"), set(), {"pos_embed"}),
    ],
)
def test_a_shape_has_exactly_timms_tensors(
    config: VitConfig, more: set[str], less: set[str]
) -> None:
    assert names(config) == (PLAIN | more) - less


def test_norms_on_queries_and_keys_are_theirs() -> None:
    assert names(replace(VIT, has_qk_norm=True)) - PLAIN == {
        f"blocks.0.attn.{norm}.{part}"
        for norm in ("q_norm", "k_norm")
        for part in ("weight", "bias")
    }


def test_without_classes_there_is_no_head() -> None:
    assert names(VIT, num_classes=0) == PLAIN - {"head.weight", "head.bias"}


def test_prefix_tokens_stand_in_timms_order() -> None:
    assert prefix_names(replace(VIT, num_registers=4)) == ["cls_token", "reg_token"]
    assert prefix_names(replace(VIT, num_registers=1, pool="distilled")) == [
        "cls_token",
        "dist_token",
    ]
