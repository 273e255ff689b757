"""Reads vision transformers of timm: ViT, DeiT, DeiT III, DINOv2, registers, CLIP's.

The tensors show most of the shape; the name in config.json settles the rest.
"""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from saccade.config.model import Pool, VitConfig
from saccade.errors import DataError
from saccade.weights.blank import blank
from saccade.weights.files import LICENCE_NOT_STATED, WeightFile
from saccade.weights.pretrained import Pretrained
from saccade.weights.rename import read_tensors
from saccade.weights.settle import class_names, count_blocks, part_of, square
from saccade.weights.timm.layout import timm_rules
from saccade.weights.timm.names import facts
from saccade.weights.timm.preprocess import read_preprocess

_PROJECTION = "patch_embed.proj.weight"

# What the names of tensors give away about models that are none of ours.
_IN_THE_WAY = (
    ("attn_pool.", "it pools by attention"),
    (".rel_pos", "it has relative positions"),
    ("relative_position", "it has relative positions"),
    (".in_proj.", "its attention and MLP run in parallel"),
    (".attns.", "its blocks run two branches in parallel"),
    (".lambda_", "its attention is differential"),
    ("patch_embed.backbone.", "its patches come from a convolutional network"),
    ("head.fc", "its head has several layers"),
    (".attn.norm.", "it normalises inside attention"),
    (".mlp.norm.", "it normalises inside the MLP"),
    ("pre_logits.", "it has a representation layer before the head"),
)


def is_timm(file: WeightFile) -> bool:
    """Whether config.json or the names of the tensors are timm's."""
    return "architecture" in file.config or _PROJECTION in file.tensors


def read_timm(file: WeightFile) -> Pretrained:
    """Turns a file of timm into weights of ours, whole or not at all.

    Raises:
        DataError: it is no plain vision transformer, or is not complete.
    """
    config, tensors, source = file.config, file.tensors, file.source
    pretrained_cfg = part_of(config, "pretrained_cfg", source=source)
    for part, why in _IN_THE_WAY:
        name = next((name for name in tensors if part in name), None)
        if name is not None:
            raise DataError(
                f"{source} cannot be read: {why} (tensor {name}). Read are plain vision "
                "transformers: vit_*, deit*, deit3*, *_dinov2, *_reg4 and CLIP's."
            )
    model, notes = _shape(config, tensors, source=source)
    num_classes = _num_classes(config, tensors, source=source)
    names, about_names = class_names(config.get("label_names"), num_classes, source=source)
    renamed = read_tensors(
        tensors,
        rules=timm_rules(model, num_classes=num_classes),
        blank=blank(model, num_classes=num_classes, in_channels=tensors[_PROJECTION].shape[1]),
        source=source,
    )
    preprocess, about_pictures = read_preprocess(
        config,
        native=(
            model.position_grid[1] * model.patch_size,
            model.position_grid[2] * model.patch_size,
        ),
        channels=tensors[_PROJECTION].shape[1],
        source=source,
    )
    tag = pretrained_cfg.get("tag")
    architecture = str(config.get("architecture", "not stated")) + (f".{tag}" if tag else "")
    licence = file.licence
    if licence == LICENCE_NOT_STATED:
        licence = str(pretrained_cfg.get("license") or LICENCE_NOT_STATED)
    return Pretrained(
        source=source,
        library="timm",
        architecture=architecture,
        model=model,
        class_names=names,
        preprocess=preprocess,
        licence=licence,
        tensors=renamed.tensors,
        notes=(*notes, *renamed.notes, *about_names, *about_pictures),
    )


def _shape(
    config: Mapping[str, Any], tensors: Mapping[str, Tensor], *, source: str
) -> tuple[VitConfig, tuple[str, ...]]:
    kernel = _need(tensors, _PROJECTION, 4, source=source)
    embed_dim, channels, patch_size, width = kernel.shape
    if patch_size != width or channels not in (1, 3):
        raise DataError(
            f"{source}: {_PROJECTION} is {tuple(kernel.shape)}; expected square patches of grey or "
            "RGB pictures"
        )
    narrow = _need(tensors, "blocks.0.mlp.fc2.weight", 2, source=source).shape[1]
    widen = _need(tensors, "blocks.0.mlp.fc1.weight", 2, source=source).shape[0]
    is_gated = widen == 2 * narrow
    has_embed_norm = "norm_pre.weight" in tensors
    known = facts(
        config, embed_dim=embed_dim, is_gated=is_gated, is_clip=has_embed_norm, source=source
    )
    pool = _pool(config, tensors, source=source)
    has_class_token = "cls_token" in tensors
    second = tensors.get("dist_token", tensors.get("reg_token"))
    num_registers = 0 if second is None else second.shape[1]
    grid, num_prefix_positions = _grid(
        config, tensors, patch_size, int(has_class_token) + num_registers, source=source
    )
    model = VitConfig(
        embed_dim=embed_dim,
        depth=count_blocks(tensors, "blocks."),
        num_heads=known.num_heads,
        mlp_ratio=narrow / embed_dim,
        patch_size=patch_size,
        stem="patches",
        position="learned" if "pos_embed" in tensors else "none",
        residual="layerscale" if "blocks.0.ls1.gamma" in tensors else "prenorm",
        num_registers=num_registers,
        has_class_token=has_class_token,
        drop_path=0.0,
        has_qk_norm="blocks.0.attn.q_norm.weight" in tensors,
        position_grid=(1, *grid),
        num_prefix_positions=num_prefix_positions,
        activation=known.activation,
        has_gated_mlp=is_gated,
        has_qkv_bias="blocks.0.attn.qkv.bias" in tensors,
        has_patch_bias="patch_embed.proj.bias" in tensors,
        has_embed_norm=has_embed_norm,
        norm_eps=known.norm_eps,
        pooled_norm_eps=known.norm_eps,
        final_norm="pooled" if "fc_norm.weight" in tensors else "tokens",
        pool=pool,
    )
    return model, known.notes


def _need(tensors: Mapping[str, Tensor], name: str, ndim: int, *, source: str) -> Tensor:
    found = tensors.get(name)
    if found is None or found.ndim != ndim:
        what = "is missing" if found is None else f"has the shape {tuple(found.shape)}"
        raise DataError(
            f"{source}: {name} {what}; a vision transformer of timm has it with {ndim} axes"
        )
    return found


def _pool(config: Mapping[str, Any], tensors: Mapping[str, Tensor], *, source: str) -> Pool:
    if "dist_token" in tensors and ("head_dist.weight" in tensors or "head.weight" not in tensors):
        return "distilled"
    default = "token" if "cls_token" in tensors and "fc_norm.weight" not in tensors else "avg"
    arguments = config.get("model_args") or {}
    stated = arguments.get("global_pool", config.get("global_pool", default)) or default
    if stated not in ("token", "avg"):
        raise DataError(
            f"{source}: global_pool is {stated!r}; heads that read the class token ('token') or "
            "the mean of the patches ('avg') are known"
        )
    return "class" if stated == "token" else "mean"


def _grid(
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    patch_size: int,
    num_prefix: int,
    *,
    source: str,
) -> tuple[tuple[int, int], int]:
    """Rows and columns of the position table, and how many prefix tokens have a position."""
    size = input_size(config)
    if "pos_embed" not in tensors:
        if (config.get("model_args") or {}).get("pos_embed") not in ("", "none"):
            raise DataError(
                f"{source}: pos_embed is missing; a model of timm without it computes positions in "
                "a way that the tensors do not show"
            )
        return (size[0] // patch_size, size[1] // patch_size) if size else (14, 14), 0
    count = _need(tensors, "pos_embed", 3, source=source).shape[1]
    if size is not None:
        stated = size[0] // patch_size, size[1] // patch_size
        for num_positions in (0, num_prefix):
            if count == math.prod(stated) + num_positions:
                return stated, num_positions
    for num_positions in (num_prefix, 0):
        found = square(count - num_positions)
        if found is not None:
            return found, num_positions
    raise DataError(
        f"{source}: {count} positions are no square grid, with or without the {num_prefix} prefix "
        'tokens. State the size in config.json: {"pretrained_cfg": {"input_size": [3, 224, 320]}}.'
    )


def input_size(config: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width in pixels that config.json states for the model."""
    arguments, pretrained = config.get("model_args") or {}, config.get("pretrained_cfg") or {}
    match arguments.get("img_size"):
        case int(side):
            return side, side
        case [int(height), int(width)]:
            return height, width
    match pretrained.get("input_size"):
        case [_, int(height), int(width)]:
            return height, width
    return None


def _num_classes(config: Mapping[str, Any], tensors: Mapping[str, Tensor], *, source: str) -> int:
    head = tensors.get("head.weight")
    found = 0 if head is None else head.shape[0]
    stated = config.get("num_classes")
    if head is not None and stated is not None and stated != found:
        raise DataError(
            f"{source}: config.json says {stated} classes, and the head in the file has {found}"
        )
    return found
