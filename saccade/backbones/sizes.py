"""Names and the numbers they stand for: family, size, patch, as in ``rag-nano4`` or ``vit-s16``.

``ti``, ``s`` and ``b`` of ViT are those of DeiT (arXiv 2012.12877, table 1). ``pico`` and ``nano``
are ours, for small pictures and small machines.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)
from saccade.errors import UsageError, nearest
from saccade.tokens.stem import is_power_of_two


@dataclass(frozen=True, kw_only=True)
class TransformerSize:
    """The shape of a transformer."""

    embed_dim: int
    depth: int
    num_heads: int
    mlp_ratio: float


TRANSFORMERS = {
    "pico": TransformerSize(embed_dim=96, depth=4, num_heads=3, mlp_ratio=2.0),
    "nano": TransformerSize(embed_dim=128, depth=6, num_heads=4, mlp_ratio=2.0),
    "ti": TransformerSize(embed_dim=192, depth=12, num_heads=3, mlp_ratio=4.0),
    "s": TransformerSize(embed_dim=384, depth=12, num_heads=6, mlp_ratio=4.0),
    "b": TransformerSize(embed_dim=768, depth=12, num_heads=12, mlp_ratio=4.0),
    "l": TransformerSize(embed_dim=1024, depth=24, num_heads=16, mlp_ratio=4.0),
    "h": TransformerSize(embed_dim=1280, depth=32, num_heads=16, mlp_ratio=4.0),
}
"""Of vit; rag has them up to b."""

RAG_DEPTHS = {"pico": 2, "nano": 3, "ti": 6, "s": 8, "b": 12}
"""rag's convolutions do part of the work, so its transformer is shallower."""

CNN_WIDTHS = {"pico": 96, "nano": 128, "ti": 192, "s": 384, "b": 768}
"""Channels of the last stage of cnn and attncnn."""

SIZES = {
    "vit": tuple(TRANSFORMERS),
    "rag": tuple(RAG_DEPTHS),
    "attncnn": tuple(CNN_WIDTHS),
    "cnn": tuple(CNN_WIDTHS),
}
"""The sizes of each family, from the smallest."""

FAMILIES = tuple(SIZES)

DEFAULT_PATCH_SIZE = 16


class ModelName(NamedTuple):
    """The parts of a model's name; what is left open is chosen from data and budget."""

    family: str
    size: str | None
    patch_size: int | None


def parse_name(name: str) -> ModelName:
    """``rag``, ``rag-nano`` or ``rag-nano4`` as its parts.

    Raises:
        UsageError: the family or the size is not known; the nearest name is offered.
    """
    match = re.fullmatch(r"([a-z]+)(?:-([a-z]+)(\d*))?", name)
    if match is None or match[2] not in (None, *SIZES.get(match[1], ())) or match[1] not in SIZES:
        raise UsageError(
            f"no model is called {name!r}; {nearest(name, [*FAMILIES, *model_names()])} "
            "A name is family-size[patch], as in rag-nano4; `saccade models` lists them"
        )
    patch_size = int(match[3]) if match[3] else None
    if patch_size == 0:
        raise UsageError(f"{name!r} has a patch of 0 pixels; it must be at least 1")
    return ModelName(match[1], match[2], patch_size)


def model_config(name: str) -> ModelConfig:
    """The configuration a full name stands for; without a patch, as in ``vit-s``, it is 16 pixels.

    Raises:
        UsageError: the name is not known, or has no size.
    """
    family, size, patch_size = parse_name(name)
    patch_size = patch_size or DEFAULT_PATCH_SIZE
    if size is None:
        raise UsageError(f"{name!r} names a family; add a size: {', '.join(SIZES[family])}")
    match family:
        case "vit":
            return _vit(size, patch_size)
        case "rag":
            return _rag(size, patch_size)
        case "attncnn":
            return AttentionCnnConfig(
                embed_dim=CNN_WIDTHS[size],
                conv_depth=1,
                patch_size=patch_size,
                num_heads=TRANSFORMERS[size].num_heads,
                num_attentions=2,
                similarity="dot",
                projection="linear",
            )
        case _:
            return CnnConfig(embed_dim=CNN_WIDTHS[size], conv_depth=2, patch_size=patch_size)


def model_names() -> list[str]:
    """Every family in every size, at the default patch."""
    return [f"{family}-{size}{DEFAULT_PATCH_SIZE}" for family in SIZES for size in SIZES[family]]


def _vit(size: str, patch_size: int) -> VitConfig:
    shape = TRANSFORMERS[size]
    return VitConfig(
        embed_dim=shape.embed_dim,
        depth=shape.depth,
        num_heads=shape.num_heads,
        mlp_ratio=shape.mlp_ratio,
        patch_size=patch_size,
        # Our small sizes are for small data, where overlapping convolutions learn what patches
        # cannot (arXiv 2106.14881); ti, s and b stay what the world's weights expect.
        stem="conv" if size in ("pico", "nano") and is_power_of_two(patch_size) else "patches",
        position="sincos",
        residual="prenorm",
        num_registers=0,
        has_class_token=False,
        drop_path=0.0,
    )


def _rag(size: str, patch_size: int) -> RagConfig:
    shape = TRANSFORMERS[size]
    return RagConfig(
        embed_dim=shape.embed_dim,
        depth=RAG_DEPTHS[size],
        num_heads=shape.num_heads,
        mlp_ratio=shape.mlp_ratio,
        patch_size=patch_size,
        conv_depth=1,
        position="sincos",
        residual="rezero",
        has_features=True,
        has_raw_image=True,
        drop_path=0.0,
    )
