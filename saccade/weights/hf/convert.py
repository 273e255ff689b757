"""transformers: which of its models are read and written, and by which file here.

    model_type of config.json                 read by
    vit, deit                                 vit.py
    dinov2, dinov2_with_registers             dinov2.py
    dinov3_vit                                dinov3.py
    vit_mae (its encoder)                     mae.py
    videomae (its encoder and classifier)     videomae.py

Writing is proven by reading: the config.json that would be written has to describe the very model
that was given, or the difference is named and nothing is written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.errors import DataError, UsageError
from saccade.weights.blank import blank
from saccade.weights.hf import dinov2, dinov3, mae, videomae, vit
from saccade.weights.hf.config import Description, Layout, differences
from saccade.weights.hf.labels import read_labels, write_labels
from saccade.weights.hf.names import published, with_published_names
from saccade.weights.hf.preprocess import read_preprocess, write_preprocess
from saccade.weights.pretrained import Pretrained
from saccade.weights.rename import read_tensors, write_tensors

FAMILIES = (
    "deit",
    "dinov2",
    "dinov2_with_registers",
    "dinov3_vit",
    "videomae",
    "vit",
    "vit_mae",
)
"""The values of ``model_type`` that are read."""


class Written(NamedTuple):
    """What stands in a folder that ``from_pretrained`` reads.

    Attributes:
        tensors: of model.safetensors.
        config: config.json.
        preprocessor: preprocessor_config.json.
        notes: what the user should hear.
    """

    tensors: dict[str, Tensor]
    config: dict[str, Any]
    preprocessor: dict[str, Any]
    notes: tuple[str, ...]


def from_transformers(
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    preprocessor: Mapping[str, Any] | None,
    *,
    source: str,
    licence: str,
    left_out: Collection[str] = (),
) -> Pretrained:
    """Reads a model that transformers has saved.

    Args:
        config: config.json.
        tensors: all of the file, without those that the user left out.
        preprocessor: preprocessor_config.json, or None where there is none.
        source: what the user named.
        licence: of the weights, as their source states it.
        left_out: names of the tensors that the user agreed to drop.

    Raises:
        UsageError: a family that is not known here.
        DataError: the parts contradict each other, or the model is none of ours.
    """
    model_type = str(config.get("model_type"))
    if model_type not in FAMILIES:
        raise UsageError(
            f"{source}: config.json has model_type = {config.get('model_type')!r}; known are "
            f"{', '.join(FAMILIES)}"
        )
    tensors = with_published_names(tensors, model_type=model_type, source=source)
    described = _describe(
        config,
        tensors,
        source=source,
        left_out=frozenset(published(name, model_type=model_type) for name in left_out),
    )
    layout = _read_layout(described)
    labels = read_labels(described, head=_head_name(layout))
    renamed = read_tensors(
        tensors,
        rules=layout.rules,
        blank=blank(layout.model, num_classes=len(labels.class_names)),
        source=source,
        unused=layout.unused,
    )
    prepared = read_preprocess(preprocessor, model_type=model_type, source=source)
    preprocess = prepared.preprocess
    if preprocessor is None:
        preprocess = _at_native_size(preprocess, layout.model)
    return Pretrained(
        source=source,
        library="transformers",
        architecture=described.architecture,
        model=layout.model,
        class_names=labels.class_names,
        preprocess=preprocess,
        licence=licence,
        tensors=renamed.tensors,
        notes=(*renamed.notes, *labels.notes, *prepared.notes),
    )


def _at_native_size(preprocess: Preprocess, model: VitConfig) -> Preprocess:
    """What is usual for a family, at the size that the positions of this model were made for."""
    if model.position != "learned":
        return preprocess
    height, width = (cells * model.patch_size for cells in model.position_grid[1:])
    resize_side = round(preprocess.resize_side * min(height, width) / preprocess.height)
    return replace(preprocess, height=height, width=width, resize_side=resize_side)


def to_transformers(
    tensors: Mapping[str, Tensor],
    model: VitConfig,
    *,
    class_names: Sequence[str],
    preprocess: Preprocess,
) -> Written:
    """Says a model of ours in the names of transformers.

    Args:
        tensors: by the names of our task.
        model: its shape.
        class_names: of the head's outputs; empty for a model without a head.
        preprocess: how its pictures are prepared.

    Raises:
        UsageError: transformers has no such model; the message names what differs.
    """
    has_head = bool(class_names)
    config = _config(tensors, model, has_head=has_head) | write_labels(class_names)
    model_type = config["model_type"]
    tensors, model = _with_prefix_positions(tensors, model, count=2 if model_type == "deit" else 1)
    # Inside a classifier every name of the backbone begins with the family's.
    names = {f"{model_type}.": torch.empty(0)} if has_head else {}
    try:
        layout = _read_layout(_describe(config, names, source="the model"))
    except DataError as error:
        raise UsageError(f"transformers has no such model: {error}") from None
    found = differences(model, layout.model, has_head=has_head)
    if has_head and _head_name(layout) is None:
        found.append("there is a classifier here and none there")
    if found:
        raise UsageError(
            "transformers has no such model; nothing was written. The nearest is its "
            f"{config['architectures'][0]}, but {'; '.join(found)}."
        )
    written = write_tensors(tensors, rules=layout.rules)
    return Written(
        tensors=written | _mask_token(model_type, model.embed_dim, has_head=has_head),
        config=config,
        preprocessor=write_preprocess(preprocess, is_video=model.tubelet_size > 1),
        notes=_notes(model, layout.model),
    )


def _describe(
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    *,
    source: str,
    left_out: frozenset[str] = frozenset(),
) -> Description:
    match config["model_type"]:
        case "dinov2":
            defaults = dinov2.DEFAULTS
        case "dinov2_with_registers":
            defaults = dinov2.REGISTER_DEFAULTS
        case "dinov3_vit":
            defaults = dinov3.DEFAULTS
        case "videomae":
            defaults = videomae.DEFAULTS
        case _:
            defaults = vit.DEFAULTS
    return Description(
        given=config, defaults=defaults, tensors=tensors, left_out=left_out, source=source
    )


def _read_layout(described: Description) -> Layout:
    match described.given["model_type"]:
        case "vit":
            return vit.read_vit(described)
        case "deit":
            return vit.read_deit(described)
        case "dinov2":
            return dinov2.read_dinov2(described)
        case "dinov2_with_registers":
            return dinov2.read_dinov2_with_registers(described)
        case "dinov3_vit":
            return dinov3.read_dinov3(described)
        case "vit_mae":
            return mae.read_mae(described)
        case "videomae":
            return videomae.read_videomae(described)
        case other:
            raise AssertionError(other)


def _config(tensors: Mapping[str, Tensor], model: VitConfig, *, has_head: bool) -> dict[str, Any]:
    """The config.json of the family that is nearest."""
    if model.tubelet_size > 1:
        return videomae.videomae_config(model, has_head=has_head)
    if model.position == "rotary":
        return dinov3.dinov3_config(model, has_key_bias=_has_key_bias(tensors))
    if model.residual == "layerscale":
        return dinov2.dinov2_config(model, has_head=has_head)
    return vit.vit_config(model, has_head=has_head)


def _with_prefix_positions(
    tensors: Mapping[str, Tensor], model: VitConfig, *, count: int
) -> tuple[Mapping[str, Tensor], VitConfig]:
    """The same model with positions of zero for prefix tokens that have none and must have one."""
    has_tokens = int(model.has_class_token) + model.num_registers >= count
    if model.position != "learned" or not has_tokens or model.num_prefix_positions:
        return tensors, model
    zeros = torch.zeros(1, count, model.embed_dim)
    return (
        {**tensors, "backbone.position.prefix": zeros},
        replace(model, num_prefix_positions=count),
    )


def _has_key_bias(tensors: Mapping[str, Tensor]) -> bool:
    biases = [each for name, each in tensors.items() if name.endswith(".attention.qkv.bias")]
    return any(bool(bias.chunk(3)[1].any()) for bias in biases)


def _head_name(layout: Layout) -> str | None:
    for rule in layout.rules:
        if rule.ours == ("head.classify.weight",):
            return rule.theirs[0].removesuffix(".weight")
    return None


def _mask_token(model_type: str, embed_dim: int, *, has_head: bool) -> dict[str, Tensor]:
    """Zeros for the mask token of those classes that always have one and use it in training."""
    match model_type:
        case "dinov2" | "dinov2_with_registers":
            prefix = f"{model_type}." if has_head else ""
            return {f"{prefix}embeddings.mask_token": torch.zeros(1, embed_dim)}
        case "dinov3_vit":
            return {"embeddings.mask_token": torch.zeros(1, 1, embed_dim)}
        case _:
            return {}


def _notes(ours: VitConfig, theirs: VitConfig) -> tuple[str, ...]:
    if ours.position != "learned" or ours.position_antialias == theirs.position_antialias:
        return ()
    return (
        "for pictures of another size than the positions were learned on, transformers resamples "
        "them with another bicubic kernel; at that size the answers are the same",
    )
