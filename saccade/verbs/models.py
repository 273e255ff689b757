"""models: what can be built."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from saccade.backbones.build import AnyBackbone, build_backbone
from saccade.backbones.sizes import (
    DEFAULT_PATCH_SIZE,
    SIZES,
    model_config,
    model_names,
    parse_name,
)
from saccade.config.json import to_json
from saccade.config.model import ModelConfig, RagConfig, VitConfig
from saccade.errors import UsageError
from saccade.tasks.build import build_head

SOURCES = {
    "vit": "arXiv 2010.11929",
    "rag": "ReZero: arXiv 2003.04887",
    "attncnn": "non-local networks: arXiv 1711.07971",
    "cnn": "the baseline",
}

SIZE_SOURCES = {
    "ti": "arXiv 2012.12877",
    "s": "arXiv 2012.12877",
    "b": "arXiv 2010.11929",
    "l": "arXiv 2010.11929",
    "h": "arXiv 2010.11929",
}
"""Of vit; pico and nano are ours."""

PUBLISHED = ("ti16", "s16", "s32", "b8", "b16", "b32", "l16", "l32", "h14")
"""The sizes of vit that there are weights of, for 224 pixels and the 1,000 classes of ImageNet."""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """One model.

    Attributes:
        name: family, size and patch.
        num_parameters: of the backbone, for RGB pictures.
        gflops: of one forward pass at ``image_size``, counting a multiply-add as two.
        image_size: pixels a side.
        source: the paper of the family.
        num_tokens: that the backbone makes of one picture of ``image_size``.
        parts: the parameters of each part of the backbone; they add up to ``num_parameters``.
        weight_bytes: of the backbone's weights, by precision.
        num_parameters_published: the parameters of the model of this name that papers and other
            libraries count: with class token, learned positions and a head of 1,000 classes, at
            224 pixels. None where nobody published one.
        papers: where each choice comes from.
        config: every number of it.
    """

    name: str
    num_parameters: int
    gflops: float
    image_size: int
    source: str
    num_tokens: int
    parts: dict[str, int]
    weight_bytes: dict[str, int]
    num_parameters_published: int | None
    papers: dict[str, str]
    config: dict[str, Any]


def models(name: str | None = None, *, image_size: int = 224) -> list[ModelInfo]:
    """Models with their cost; nothing is allocated for it.

    Args:
        name: one model (``vit-s16``; a patch left out is 16 pixels), or a family in all its sizes;
            None: every family in every size.
        image_size: pixels a side that the cost is given for.

    Raises:
        UsageError: no model is called so, or ``image_size`` is below 1.
    """
    if image_size < 1:
        raise UsageError(f"image_size is {image_size}; expected pixels a side, 1 or more")
    return [_describe(each, image_size) for each in _names(name)]


def _names(name: str | None) -> list[str]:
    if name is None:
        return model_names()
    family, size, patch_size = parse_name(name)
    sizes = SIZES[family] if size is None else (size,)
    return [f"{family}-{each}{patch_size or DEFAULT_PATCH_SIZE}" for each in sizes]


def _describe(name: str, image_size: int) -> ModelInfo:
    config = model_config(name)
    with torch.device("meta"):
        backbone = build_backbone(config, in_channels=3).eval()
        images = torch.empty(1, 3, image_size, image_size)
    with FlopCounterMode(display=False) as counter:
        tokens = backbone(images)
    num_parameters = _count(backbone)
    return ModelInfo(
        name=name,
        num_parameters=num_parameters,
        gflops=counter.get_total_flops() / 1e9,
        image_size=image_size,
        source=SOURCES[config.family],
        num_tokens=tokens.x.shape[1],
        parts=_parts(backbone),
        weight_bytes={"fp32": 4 * num_parameters, "bf16": 2 * num_parameters},
        num_parameters_published=_published(name, config),
        papers=_papers(name, config),
        config=to_json(config),
    )


def _parts(backbone: AnyBackbone) -> dict[str, int]:
    parts = {
        name: parameter.numel() for name, parameter in backbone.named_parameters(recurse=False)
    }
    return parts | {name: _count(part) for name, part in backbone.named_children()}


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _published(name: str, config: ModelConfig) -> int | None:
    size = name.partition("-")[2]
    if not isinstance(config, VitConfig) or size not in PUBLISHED:
        return None
    side = 224 // config.patch_size
    published = replace(
        config,
        has_class_token=True,
        position="learned",
        position_grid=(1, side, side),
        num_prefix_positions=1,
        pool="class",
    )
    with torch.device("meta"):
        head = build_head(published, num_classes=1000)
        return _count(build_backbone(published, in_channels=3)) + _count(head)


def _papers(name: str, config: ModelConfig) -> dict[str, str]:
    papers: dict[str, str] = {config.family: SOURCES[config.family]}
    if isinstance(config, VitConfig):
        size = parse_name(name).size or ""
        papers["size"] = SIZE_SOURCES.get(size, "ours, for small pictures and small machines")
        if config.stem == "conv":
            papers["stem"] = "arXiv 2106.14881"
    if isinstance(config, VitConfig | RagConfig) and config.position == "sincos":
        papers["position"] = "arXiv 1706.03762, in 2-D as in arXiv 2205.01580"
    return papers
