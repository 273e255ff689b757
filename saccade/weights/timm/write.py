"""Writes a vision transformer so that timm builds and loads it by itself."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.errors import UsageError
from saccade.weights.rename import write_tensors
from saccade.weights.timm.layout import timm_rules
from saccade.weights.timm.preprocess import write_preprocess

# timm cannot state an epsilon or the kind of MLP in model_args, so the name has to bring them.
_PLAIN, _CLIP = "vit_base_patch16_224", "vit_base_patch16_clip_224"
_GATED, _DISTILLED = "vit_giant_patch14_dinov2", "deit_tiny_distilled_patch16_224"


def to_timm(
    tensors: Mapping[str, Tensor],
    config: VitConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    licence: str,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the config.json of the same model in timm.

    Raises:
        UsageError: timm has no model of this shape.
    """
    name = _name(config)
    theirs = write_tensors(tensors, rules=timm_rules(config, num_classes=len(class_names)))
    pretrained_cfg: dict[str, Any] = {
        **write_preprocess(preprocess),
        "num_classes": len(class_names),
        "fixed_input_size": not _resamples(config, preprocess),
        "first_conv": "patch_embed.proj",
        "classifier": ["head", "head_dist"] if config.pool == "distilled" else "head",
        "license": licence,
    }
    described = {
        "architecture": name,
        "num_classes": len(class_names),
        "num_features": config.embed_dim,
        "global_pool": _pool(config),
        "label_names": list(class_names),
        "model_args": _arguments(config, preprocess),
        "pretrained_cfg": pretrained_cfg,
    }
    if not class_names:
        del described["label_names"]
    return theirs, described


def _name(config: VitConfig) -> str:
    """The timm model that, with ``model_args``, is this one."""
    for is_wrong, why in (
        (config.tubelet_size > 1, "it reads clips"),
        (config.stem != "patches", f"its stem is {config.stem!r}; timm's has plain patches"),
        (config.position == "rotary", "its positions are rotary"),
        (config.position == "sincos", "its positions are a formula; write them as a table first"),
        (config.residual == "rezero", "its residual rule is ReZero"),
        (config.similarity != "dot", f"its attention compares by {config.similarity}"),
        (config.projection != "linear", f"its projection is {config.projection!r}"),
        (config.window_size > 0, "its attention is windowed"),
        (config.pool == "class_and_mean", "its head reads the class token and the mean together"),
        (
            config.has_patch_bias == config.has_embed_norm,
            "timm has either a norm before the first block or a bias in the patches, not both or "
            "neither",
        ),
        (
            config.pool == "distilled"
            and (config.num_registers != 1 or not config.has_class_token),
            "timm's distilled model has a class token and one more",
        ),
        (
            config.final_norm == "pooled" and config.pooled_norm_eps != config.norm_eps,
            f"its norm after pooling has the epsilon {config.pooled_norm_eps:g} and the others "
            f"{config.norm_eps:g}; timm has one for all",
        ),
        (
            0 < config.num_prefix_positions < int(config.has_class_token) + config.num_registers,
            "some of its prefix tokens have a position and some have none",
        ),
    ):
        if is_wrong:
            raise UsageError(f"this model cannot be written for timm: {why}")
    wanted = (config.norm_eps, config.has_gated_mlp, config.pool == "distilled")
    names = {
        (1e-6, False, False): _PLAIN,
        (1e-5, False, False): _CLIP,
        (1e-6, True, False): _GATED,
        (1e-6, False, True): _DISTILLED,
    }
    if wanted not in names:
        raise UsageError(
            f"this model cannot be written for timm: norm_eps {config.norm_eps:g}"
            f"{' with a gated MLP' if config.has_gated_mlp else ''}"
            f"{' and a distillation token' if config.pool == 'distilled' else ''} is no model of "
            "timm. It has 1e-6, and 1e-5 for CLIP's."
        )
    if config.final_norm == "pooled" and config.pool == "distilled":
        raise UsageError(
            "this model cannot be written for timm: its distilled model normalises the tokens, "
            "not what is pooled"
        )
    return names[wanted]


def _resamples(config: VitConfig, preprocess: Preprocess) -> bool:
    """Whether pictures have another size than the positions were made for."""
    _, rows, columns = config.position_grid
    native = (rows * config.patch_size, columns * config.patch_size)
    return native != (preprocess.height, preprocess.width)


def _arguments(config: VitConfig, preprocess: Preprocess) -> dict[str, Any]:
    """Everything that makes the named model this one; the names' own numbers are all replaced."""
    hidden = round(config.embed_dim * config.mlp_ratio) * (2 if config.has_gated_mlp else 1)
    _, rows, columns = config.position_grid
    arguments = {
        "img_size": [rows * config.patch_size, columns * config.patch_size],
        "patch_size": config.patch_size,
        "in_chans": preprocess.channels,
        "embed_dim": config.embed_dim,
        "depth": config.depth,
        "num_heads": config.num_heads,
        # timm rounds down, so a ratio that is a hair too small would lose a row.
        "mlp_ratio": (hidden + 0.25) / config.embed_dim,
        "qkv_bias": config.has_qkv_bias,
        "qk_norm": config.has_qk_norm,
        # timm ignores None here; 0 switches LayerScale off as well.
        "init_values": 1e-5 if config.residual == "layerscale" else 0.0,
        "class_token": config.has_class_token,
        "pos_embed": "none" if config.position == "none" else "learn",
        "no_embed_class": config.num_prefix_positions == 0,
        "reg_tokens": 0 if config.pool == "distilled" else config.num_registers,
        "pre_norm": config.has_embed_norm,
        "fc_norm": config.final_norm == "pooled",
        "global_pool": _pool(config),
        "act_layer": config.activation,
        "dynamic_img_size": _resamples(config, preprocess),
        "dynamic_img_pad": _resamples(config, preprocess),
    }
    return arguments


def _pool(config: VitConfig) -> str:
    return "avg" if config.pool == "mean" else "token"
