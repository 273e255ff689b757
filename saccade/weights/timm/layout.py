"""Where timm's vision transformers keep each of our tensors: one table for reading and writing."""

from saccade.config.model import VitConfig
from saccade.weights.rename import Rule, joined, same, split, weight_and_bias

_BLOCK = (
    ("attention_norm", "norm1"),
    ("attention.proj", "attn.proj"),
    ("mlp_norm", "norm2"),
    ("mlp.widen", "mlp.fc1"),
    ("mlp.narrow", "mlp.fc2"),
)


def timm_rules(config: VitConfig, *, num_classes: int) -> list[Rule]:
    """The rules for a model of this shape.

    Args:
        config: the shape; what timm cannot say is refused before (``saccade.weights.timm.write``).
        num_classes: outputs K of the head; 0 for none.
    """
    rules = weight_and_bias(
        "backbone.embed.project", "patch_embed.proj", has_bias=config.has_patch_bias
    )
    rules += _prefix(config)
    rules += _positions(config)
    if config.has_embed_norm:
        rules += weight_and_bias("backbone.embed_norm", "norm_pre")
    for index in range(config.depth):
        rules += _block(config, f"backbone.blocks.{index}", f"blocks.{index}")
    if config.final_norm == "tokens":
        rules += weight_and_bias("backbone.norm", "norm")
    else:
        rules += weight_and_bias("head.norm", "fc_norm")
    if num_classes:
        rules += weight_and_bias("head.classify", "head")
        if config.pool == "distilled":
            rules += weight_and_bias("head.classify_distilled", "head_dist")
    return rules


def prefix_names(config: VitConfig) -> list[str]:
    """Their names of the prefix tokens; the second of a distilled model is its own."""
    names = ["cls_token"] if config.has_class_token else []
    if config.num_registers:
        names.append("dist_token" if config.pool == "distilled" else "reg_token")
    return names


def _prefix(config: VitConfig) -> list[Rule]:
    names = prefix_names(config)
    if not names:
        return []
    lengths = {"cls_token": 1, "dist_token": 1, "reg_token": config.num_registers}
    return [joined("backbone.prefix", names, lengths=[lengths[name] for name in names], dim=1)]


def _positions(config: VitConfig) -> list[Rule]:
    if config.position != "learned":
        return []
    if config.num_prefix_positions == 0:
        return [same("backbone.position.table", "pos_embed")]
    t, h, w = config.position_grid
    return [
        split(
            ("backbone.position.prefix", "backbone.position.table"),
            "pos_embed",
            lengths=(config.num_prefix_positions, t * h * w),
            dim=1,
        )
    ]


def _block(config: VitConfig, ours: str, theirs: str) -> list[Rule]:
    rules: list[Rule] = []
    for our_layer, their_layer in _BLOCK:
        rules += weight_and_bias(f"{ours}.{our_layer}", f"{theirs}.{their_layer}")
    rules += weight_and_bias(
        f"{ours}.attention.qkv", f"{theirs}.attn.qkv", has_bias=config.has_qkv_bias
    )
    if config.has_qk_norm:
        rules += weight_and_bias(f"{ours}.attention.q_norm", f"{theirs}.attn.q_norm")
        rules += weight_and_bias(f"{ours}.attention.k_norm", f"{theirs}.attn.k_norm")
    if config.residual == "layerscale":
        rules.append(same(f"{ours}.attention_gate.gamma", f"{theirs}.ls1.gamma"))
        rules.append(same(f"{ours}.mlp_gate.gamma", f"{theirs}.ls2.gamma"))
    return rules
