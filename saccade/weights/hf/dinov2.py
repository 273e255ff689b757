"""DINOv2 of transformers, with and without registers (arXiv 2304.07193, 2309.16588).

Its classifier reads the class token beside the mean of the patches. The giant one has a gated MLP
whose hidden width is two thirds of the usual, rounded up to a multiple of 8.
"""

from dataclasses import replace
from typing import Any

from saccade.config.model import VitConfig
from saccade.errors import UsageError
from saccade.weights.hf.config import Description, Layout, hidden_dim, plain_config, plain_vit
from saccade.weights.rename import Rule, Unused, joined, same, split, stacked, weight_and_bias

DEFAULTS = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "mlp_ratio": 4,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "image_size": 224,
    "patch_size": 14,
    "num_channels": 3,
    "qkv_bias": True,
    "use_swiglu_ffn": False,
    "drop_path_rate": 0.0,
}
REGISTER_DEFAULTS = {**DEFAULTS, "patch_size": 16, "num_register_tokens": 4}


def read_dinov2(described: Description) -> Layout:
    """A DINOv2 as its config.json and tensors describe it."""
    return _read(described, num_registers=None, inner="dinov2", name="Dinov2")


def read_dinov2_with_registers(described: Description) -> Layout:
    """The same with registers, whose positions are resampled in another way."""
    return _read(
        described,
        num_registers=described.integer("num_register_tokens", at_most=1000),
        inner="dinov2_with_registers",
        name="Dinov2WithRegisters",
    )


def dinov2_config(model: VitConfig, *, has_head: bool) -> dict[str, Any]:
    """The config.json of a DINOv2.

    Raises:
        UsageError: the hidden width of the MLP is not one that it can say.
    """
    has_registers = model.num_registers > 0
    name = "Dinov2WithRegisters" if has_registers else "Dinov2"
    registers = {"num_register_tokens": model.num_registers} if has_registers else {}
    return {
        "model_type": "dinov2_with_registers" if has_registers else "dinov2",
        "architectures": [name + ("ForImageClassification" if has_head else "Model")],
        **plain_config(model),
        "mlp_ratio": _ratio(model),
        "use_swiglu_ffn": model.has_gated_mlp,
        "qkv_bias": model.has_qkv_bias,
        "drop_path_rate": model.drop_path,
        **registers,
    }


def hidden_width(embed_dim: int, *, ratio: int, is_gated: bool) -> int:
    """The hidden width of the MLP, as that library computes it from a whole-numbered ratio."""
    width = embed_dim * ratio
    return (int(width * 2 / 3) + 7) // 8 * 8 if is_gated else width


def _ratio(model: VitConfig) -> int:
    embed_dim, is_gated = model.embed_dim, model.has_gated_mlp
    for ratio in range(1, 65):
        if hidden_width(embed_dim, ratio=ratio, is_gated=is_gated) == hidden_dim(model):
            return ratio
    kind = "two thirds of a whole multiple" if is_gated else "a whole multiple"
    raise UsageError(
        f"the MLP's hidden layer is {hidden_dim(model)} wide; transformers' DINOv2 can only have "
        f"{kind} of the width {embed_dim}"
    )


def _read(described: Description, *, num_registers: int | None, inner: str, name: str) -> Layout:
    """Either kind; ``num_registers`` is None for the class that has no place for them."""
    ratio = described.positive("mlp_ratio", at_most=64)
    embed_dim, is_gated = described.positive("hidden_size"), described.flag("use_swiglu_ffn")
    plain = plain_vit(described, hidden_dim=hidden_width(embed_dim, ratio=ratio, is_gated=is_gated))
    model = replace(
        plain,
        num_registers=num_registers or 0,
        position_antialias=num_registers is not None,
        residual="layerscale",
        drop_path=described.number("drop_path_rate"),
        activation="silu" if is_gated else plain.activation,
        has_gated_mlp=is_gated,
        has_qkv_bias=described.flag("qkv_bias"),
        pool="class_and_mean",
    )
    prefix = described.prefix(inner)
    has_parts = any(".mlp.gate_proj." in each for each in described.tensors)
    rules = _rules(model, prefix=prefix, gate_is_apart=has_parts)
    if described.has_head("classifier", architectures=[f"{name}ForImageClassification"]):
        rules += weight_and_bias("head.classify", "classifier")
    mask = Unused(pattern=f"{prefix}embeddings.mask_token", why="stands for hidden patches")
    return Layout(model=model, rules=rules, unused=[mask])


def _rules(model: VitConfig, *, prefix: str, gate_is_apart: bool) -> list[Rule]:
    embeddings, num_patches = f"{prefix}embeddings", model.position_grid[1] * model.position_grid[2]
    tokens, lengths = [f"{embeddings}.cls_token"], [1]
    if model.position_antialias:  # the class with registers, be they none
        tokens.append(f"{embeddings}.register_tokens")
        lengths.append(model.num_registers)
    rules = [
        joined("backbone.prefix", tokens, lengths=lengths, dim=1),
        split(
            ["backbone.position.prefix", "backbone.position.table"],
            f"{embeddings}.position_embeddings",
            lengths=[1, num_patches],
            dim=1,
        ),
        *weight_and_bias("backbone.embed.project", f"{embeddings}.patch_embeddings.projection"),
        *weight_and_bias("backbone.norm", f"{prefix}layernorm"),
    ]
    for index in range(model.depth):
        ours, theirs = f"backbone.blocks.{index}", f"{prefix}encoder.layer.{index}"
        attention = f"{theirs}.attention.attention"
        for part in ("weight", "bias") if model.has_qkv_bias else ("weight",):
            names = [f"{attention}.{kind}.{part}" for kind in ("query", "key", "value")]
            rules.append(stacked(f"{ours}.attention.qkv.{part}", names))
        rules += [
            *weight_and_bias(f"{ours}.attention_norm", f"{theirs}.norm1"),
            *weight_and_bias(f"{ours}.attention.proj", f"{theirs}.attention.output.dense"),
            same(f"{ours}.attention_gate.gamma", f"{theirs}.layer_scale1.lambda1"),
            *weight_and_bias(f"{ours}.mlp_norm", f"{theirs}.norm2"),
            *_mlp_rules(model, ours=ours, theirs=theirs, gate_is_apart=gate_is_apart),
            same(f"{ours}.mlp_gate.gamma", f"{theirs}.layer_scale2.lambda1"),
        ]
    return rules


def _mlp_rules(model: VitConfig, *, ours: str, theirs: str, gate_is_apart: bool) -> list[Rule]:
    if not model.has_gated_mlp:
        return [
            *weight_and_bias(f"{ours}.mlp.widen", f"{theirs}.mlp.fc1"),
            *weight_and_bias(f"{ours}.mlp.narrow", f"{theirs}.mlp.fc2"),
        ]
    narrow = weight_and_bias(f"{ours}.mlp.narrow", f"{theirs}.mlp.weights_out")
    if not gate_is_apart:
        return [*weight_and_bias(f"{ours}.mlp.widen", f"{theirs}.mlp.weights_in"), *narrow]
    return [
        *(
            stacked(
                f"{ours}.mlp.widen.{part}",
                [f"{theirs}.mlp.gate_proj.{part}", f"{theirs}.mlp.up_proj.{part}"],
            )
            for part in ("weight", "bias")
        ),
        *narrow,
    ]
