"""ViT and DeiT of transformers, and the encoder that MAE and VideoMAE write in the same names.

The models: arXiv 2010.11929 and 2012.12877. DeiT always has a distillation token, ours is a
register; with a teacher's head it answers with the mean of two heads.
"""

from dataclasses import replace
from typing import Any

from saccade.config.model import VitConfig
from saccade.weights.hf.config import Description, Layout, hidden_dim, plain_config, plain_vit
from saccade.weights.rename import Rule, Unused, joined, split, stacked, weight_and_bias

DEFAULTS = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "image_size": 224,
    "patch_size": 16,
    "num_channels": 3,
    "qkv_bias": True,
}
"""Of ViT, DeiT and MAE alike."""


def read_vit(described: Description) -> Layout:
    """A ViT as its config.json and tensors describe it."""
    has_head = described.has_head("classifier", architectures=["ViTForImageClassification"])
    model = replace(
        plain_vit(described, hidden_dim=described.positive("intermediate_size")),
        has_qkv_bias=described.flag("qkv_bias"),
    )
    prefix = described.prefix("vit")
    rules = vit_rules(model, prefix=prefix)
    if has_head:
        rules += weight_and_bias("head.classify", "classifier")
    return Layout(model=model, rules=rules, unused=_unused(prefix))


def read_deit(described: Description) -> Layout:
    """A DeiT, with no head, one, or two."""
    with_teacher = ["DeiTForImageClassificationWithTeacher"]
    has_two_heads = described.has_head("cls_classifier", architectures=with_teacher)
    has_two_heads |= described.has_head("distillation_classifier", architectures=with_teacher)
    has_head = described.has_head("classifier", architectures=["DeiTForImageClassification"])
    model = replace(
        plain_vit(described, hidden_dim=described.positive("intermediate_size")),
        has_qkv_bias=described.flag("qkv_bias"),
        num_registers=1,
        num_prefix_positions=2,
        pool="distilled" if has_two_heads else "class",
    )
    prefix = described.prefix("deit")
    rules = vit_rules(model, prefix=prefix)
    if has_two_heads:
        rules += weight_and_bias("head.classify", "cls_classifier")
        rules += weight_and_bias("head.classify_distilled", "distillation_classifier")
    elif has_head:
        rules += weight_and_bias("head.classify", "classifier")
    return Layout(model=model, rules=rules, unused=_unused(prefix))


def vit_config(model: VitConfig, *, has_head: bool) -> dict[str, Any]:
    """The config.json of a ViT or, where there is a second prefix token, of a DeiT."""
    is_deit = model.num_registers > 0
    name = "DeiT" if is_deit else "ViT"
    kind = "ForImageClassification" if has_head else "Model"
    if has_head and model.pool == "distilled":
        kind = "ForImageClassificationWithTeacher"
    return {
        "model_type": "deit" if is_deit else "vit",
        "architectures": [name + kind],
        **plain_config(model),
        "intermediate_size": hidden_dim(model),
        "qkv_bias": model.has_qkv_bias,
    }


def vit_rules(model: VitConfig, *, prefix: str) -> list[Rule]:
    """Everything between the pixels and the head."""
    embeddings = f"{prefix}embeddings"
    tokens = [f"{embeddings}.cls_token"]
    if model.num_registers:
        tokens.append(f"{embeddings}.distillation_token")
    t, h, w = model.position_grid
    return [
        joined("backbone.prefix", tokens, lengths=[1] * len(tokens), dim=1),
        split(
            ["backbone.position.prefix", "backbone.position.table"],
            f"{embeddings}.position_embeddings",
            lengths=[len(tokens), t * h * w],
            dim=1,
        ),
        *weight_and_bias("backbone.embed.project", f"{embeddings}.patch_embeddings.projection"),
        *encoder_rules(model, prefix=prefix),
        *weight_and_bias("backbone.norm", f"{prefix}layernorm"),
    ]


def encoder_rules(
    model: VitConfig,
    *,
    prefix: str,
    biases: tuple[str | None, ...] = ("query.bias", "key.bias", "value.bias"),
) -> list[Rule]:
    """The blocks.

    Args:
        model: the shape.
        prefix: of every name of theirs.
        biases: where attention keeps those of queries, keys and values; None: it has none there.
    """
    rules = []
    for index in range(model.depth):
        ours, theirs = f"backbone.blocks.{index}", f"{prefix}encoder.layer.{index}"
        attention = f"{theirs}.attention.attention"
        weights = [f"{attention}.{part}.weight" for part in ("query", "key", "value")]
        rules.append(stacked(f"{ours}.attention.qkv.weight", weights))
        if model.has_qkv_bias:
            parts = [None if part is None else f"{attention}.{part}" for part in biases]
            rules.append(stacked(f"{ours}.attention.qkv.bias", parts))
        rules += weight_and_bias(f"{ours}.attention_norm", f"{theirs}.layernorm_before")
        rules += weight_and_bias(f"{ours}.attention.proj", f"{theirs}.attention.output.dense")
        rules += weight_and_bias(f"{ours}.mlp_norm", f"{theirs}.layernorm_after")
        rules += weight_and_bias(f"{ours}.mlp.widen", f"{theirs}.intermediate.dense")
        rules += weight_and_bias(f"{ours}.mlp.narrow", f"{theirs}.output.dense")
    return rules


def _unused(prefix: str) -> list[Unused]:
    return [
        Unused(pattern=f"{prefix}pooler.dense.*", why="the pooler, which no classifier reads"),
        Unused(pattern=f"{prefix}embeddings.mask_token", why="stands for hidden patches"),
    ]
