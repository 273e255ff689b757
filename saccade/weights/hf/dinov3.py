"""DINOv3's vision transformer of transformers (arXiv 2508.10104).

Rotary positions, registers, LayerScale, and a choice of biases and MLP per size. The library has
no classifier for it, so a model with a head cannot be written in this layout.
"""

from dataclasses import replace
from typing import Any

from saccade.config.model import VitConfig
from saccade.errors import DataError
from saccade.weights.hf.config import Description, Layout, hidden_dim, plain_config, plain_vit
from saccade.weights.rename import Rule, Unused, joined, same, stacked, weight_and_bias

DEFAULTS = {
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "intermediate_size": 1536,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "image_size": 224,
    "patch_size": 16,
    "num_channels": 3,
    "rope_theta": 100.0,
    "query_bias": True,
    "key_bias": False,
    "value_bias": True,
    "proj_bias": True,
    "mlp_bias": True,
    "use_gated_mlp": False,
    "num_register_tokens": 0,
    "drop_path_rate": 0.0,
}


def read_dinov3(described: Description) -> Layout:
    """A DINOv3 as its config.json describes it.

    Raises:
        DataError: a choice of biases that no published size has.
    """
    described.require("proj_bias", expected=True, why="attention's output has a bias")
    described.require("mlp_bias", expected=True, why="the MLP has biases")
    has_query_bias, has_key_bias = described.flag("query_bias"), described.flag("key_bias")
    if described.flag("value_bias") != has_query_bias or (has_key_bias and not has_query_bias):
        raise DataError(
            f"{described.source}: config.json has query_bias = {has_query_bias}, key_bias = "
            f"{has_key_bias}, value_bias = {described.flag('value_bias')}; expected the same for "
            "queries and values, and keys without one where they have none"
        )
    plain = plain_vit(described, hidden_dim=described.positive("intermediate_size"))
    if plain.embed_dim // plain.num_heads % 4:
        raise DataError(
            f"{described.source}: heads are {plain.embed_dim // plain.num_heads} wide; rotary "
            "positions need a multiple of 4"
        )
    model = replace(
        plain,
        num_registers=described.integer("num_register_tokens", at_most=1000),
        position="rotary",
        rotary_base=described.number("rope_theta"),
        num_prefix_positions=0,
        residual="layerscale",
        drop_path=described.number("drop_path_rate"),
        has_gated_mlp=described.flag("use_gated_mlp"),
        has_qkv_bias=has_query_bias,
    )
    mask = Unused(pattern="embeddings.mask_token", why="stands for hidden patches")
    return Layout(model=model, rules=_rules(model, has_key_bias=has_key_bias), unused=[mask])


def dinov3_config(model: VitConfig, *, has_key_bias: bool) -> dict[str, Any]:
    """The config.json of a DINOv3.

    Args:
        model: the shape.
        has_key_bias: whether any bias of keys is not zero; published weights have none.
    """
    return {
        "model_type": "dinov3_vit",
        "architectures": ["DINOv3ViTModel"],
        **plain_config(model),
        "intermediate_size": hidden_dim(model),
        "rope_theta": model.rotary_base,
        "query_bias": model.has_qkv_bias,
        "key_bias": has_key_bias,
        "value_bias": model.has_qkv_bias,
        "use_gated_mlp": model.has_gated_mlp,
        "num_register_tokens": model.num_registers,
        "drop_path_rate": model.drop_path,
    }


def _rules(model: VitConfig, *, has_key_bias: bool) -> list[Rule]:
    rules = [
        joined(
            "backbone.prefix",
            ["embeddings.cls_token", "embeddings.register_tokens"],
            lengths=[1, model.num_registers],
            dim=1,
        ),
        *weight_and_bias("backbone.embed.project", "embeddings.patch_embeddings"),
        *weight_and_bias("backbone.norm", "norm"),
    ]
    for index in range(model.depth):
        ours, theirs = f"backbone.blocks.{index}", f"layer.{index}"
        weights = [f"{theirs}.attention.{kind}_proj.weight" for kind in "qkv"]
        rules.append(stacked(f"{ours}.attention.qkv.weight", weights))
        if model.has_qkv_bias:
            key = f"{theirs}.attention.k_proj.bias" if has_key_bias else None
            query, value = (f"{theirs}.attention.{kind}_proj.bias" for kind in "qv")
            rules.append(stacked(f"{ours}.attention.qkv.bias", [query, key, value]))
        rules += [
            *weight_and_bias(f"{ours}.attention_norm", f"{theirs}.norm1"),
            *weight_and_bias(f"{ours}.attention.proj", f"{theirs}.attention.o_proj"),
            same(f"{ours}.attention_gate.gamma", f"{theirs}.layer_scale1.lambda1"),
            *weight_and_bias(f"{ours}.mlp_norm", f"{theirs}.norm2"),
            *_mlp_rules(model, ours=f"{ours}.mlp", theirs=f"{theirs}.mlp"),
            same(f"{ours}.mlp_gate.gamma", f"{theirs}.layer_scale2.lambda1"),
        ]
    return rules


def _mlp_rules(model: VitConfig, *, ours: str, theirs: str) -> list[Rule]:
    narrow = weight_and_bias(f"{ours}.narrow", f"{theirs}.down_proj")
    if not model.has_gated_mlp:
        return [*weight_and_bias(f"{ours}.widen", f"{theirs}.up_proj"), *narrow]
    return [
        *(
            stacked(
                f"{ours}.widen.{part}", [f"{theirs}.gate_proj.{part}", f"{theirs}.up_proj.{part}"]
            )
            for part in ("weight", "bias")
        ),
        *narrow,
    ]
