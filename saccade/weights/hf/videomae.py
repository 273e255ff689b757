"""VideoMAE of transformers (arXiv 2203.12602): a ViT on tubelets, without prefix tokens.

Queries and values have biases, keys have none. Its positions are a fixed table of sines and cosines
along the whole sequence that no file holds; here they become learned ones with the same values.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from saccade.config.model import VitConfig
from saccade.errors import DataError, UsageError
from saccade.weights.hf.config import Description, Layout, hidden_dim, plain_config, plain_vit
from saccade.weights.hf.vit import encoder_rules
from saccade.weights.rename import Rule, weight_and_bias

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
    "num_frames": 16,
    "tubelet_size": 2,
    "qv_bias": True,
    "use_mean_pooling": True,
}

POOLED_NORM_EPS = 1e-5
"""Of the norm after pooling, whatever config.json says of the others."""


def read_videomae(described: Description) -> Layout:
    """A VideoMAE as its config.json and tensors describe it.

    Raises:
        DataError: it answers in a way that ours cannot.
    """
    has_head = described.has_head("classifier", architectures=["VideoMAEForVideoClassification"])
    is_pooled = described.flag("use_mean_pooling")
    source = described.source
    if has_head and not is_pooled:
        raise DataError(
            f"{source}: its classifier reads the first tubelet alone (use_mean_pooling is false), "
            'which saccade has no head for. Drop it with leave_out=["classifier.*"].'
        )
    if is_pooled and not has_head and "fc_norm.weight" not in described.tensors:
        raise DataError(
            f"{source}: config.json says use_mean_pooling, so the model ends in the norm of a "
            "classifier, and the file has none"
        )
    plain = plain_vit(described, hidden_dim=described.positive("intermediate_size"))
    tubelet_size = described.positive("tubelet_size", at_most=64)
    num_frames = described.positive("num_frames", at_most=4096)
    if tubelet_size == 1 or num_frames < tubelet_size:
        raise DataError(
            f"{source}: config.json has tubelets of {tubelet_size} in clips of {num_frames} "
            "frames; expected at least 2, and a clip no shorter than that"
        )
    model = replace(
        plain,
        tubelet_size=tubelet_size,
        position_grid=(num_frames // tubelet_size, *plain.position_grid[1:]),
        num_prefix_positions=0,
        has_class_token=False,
        has_qkv_bias=described.flag("qv_bias"),
        final_norm="pooled" if is_pooled else "tokens",
        pooled_norm_eps=POOLED_NORM_EPS if is_pooled else plain.pooled_norm_eps,
        pool="mean",
    )
    prefix = described.prefix("videomae")
    norm = (
        weight_and_bias("head.norm", "fc_norm")
        if is_pooled
        else weight_and_bias("backbone.norm", f"{prefix}layernorm")
    )
    embed = f"{prefix}embeddings.patch_embeddings.projection"
    rules = [
        *weight_and_bias("backbone.embed.project", embed),
        _fixed_table(model),
        *encoder_rules(model, prefix=prefix, biases=("q_bias", None, "v_bias")),
        *norm,
    ]
    if has_head:
        rules += weight_and_bias("head.classify", "classifier")
    return Layout(model=model, rules=rules)


def videomae_config(model: VitConfig, *, has_head: bool) -> dict[str, Any]:
    """The config.json of a VideoMAE."""
    return {
        "model_type": "videomae",
        "architectures": ["VideoMAEForVideoClassification" if has_head else "VideoMAEModel"],
        **plain_config(model),
        "intermediate_size": hidden_dim(model),
        "num_frames": model.position_grid[0] * model.tubelet_size,
        "tubelet_size": model.tubelet_size,
        "qv_bias": model.has_qkv_bias,
        "use_mean_pooling": model.final_norm == "pooled",
    }


def sinusoids(num_tokens: int, embed_dim: int) -> Float[Tensor, "1 n D"]:
    """Positions along a sequence: sines on even channels, cosines on odd ones (arXiv 1706.03762).

    Channel ``2 i`` and the next turn at ``10000 ** (-2 i / D)`` per token. Computed in double
    precision, as that library does, so that the table is the same to the last bit.
    """
    channel = np.arange(embed_dim)
    angles = np.arange(num_tokens)[:, None] / np.power(10_000.0, 2 * (channel // 2) / embed_dim)
    table = np.where(channel % 2 == 0, np.sin(angles), np.cos(angles))
    return torch.from_numpy(table).to(torch.float32)[None]


def _fixed_table(model: VitConfig) -> Rule:
    t, h, w = model.position_grid
    name = "backbone.position.table"

    def read(_: list[Tensor]) -> list[Tensor]:
        return [sinusoids(t * h * w, model.embed_dim)]

    def write(tensors: list[Tensor]) -> list[Tensor]:
        table = tensors[0]
        if not table.is_meta and not torch.equal(table, sinusoids(t * h * w, model.embed_dim)):
            raise UsageError(
                f"{name} has been trained; transformers' VideoMAE has fixed positions and no place "
                "for others"
            )
        return []

    return Rule(ours=(name,), theirs=(), read=read, write=write)
