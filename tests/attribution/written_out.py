"""Small models to explain, and attention with its map written out and kept, to agree with."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from saccade.config.model import (
    AttentionCnnConfig,
    AttentionPath,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)
from saccade.shapes import Grid
from saccade.transformer import attention
from saccade.transformer.window import window_mask

VIT = VitConfig(
    embed_dim=16,
    depth=2,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="sincos",
    residual="prenorm",
    num_registers=0,
    has_class_token=False,
    drop_path=0.0,
)
RAG = RagConfig(
    embed_dim=16,
    depth=2,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    conv_depth=1,
    position="sincos",
    residual="rezero",
    has_features=True,
    has_raw_image=True,
    drop_path=0.0,
)
VIT_CLASS = replace(VIT, has_class_token=True, num_registers=2, pool="class")
CONFIGS: dict[str, ModelConfig] = {
    "vit": VIT,
    "vit-class": VIT_CLASS,
    "vit-both": replace(VIT_CLASS, pool="class_and_mean", final_norm="pooled"),
    "vit-distilled": replace(VIT_CLASS, num_registers=1, pool="distilled"),
    "vit-windows": replace(VIT_CLASS, window_size=2, num_global_blocks=1, pool="mean"),
    "vit-rotary": replace(VIT_CLASS, position="rotary", has_qk_norm=True),
    "rag": RAG,
    "attncnn": AttentionCnnConfig(
        embed_dim=16,
        conv_depth=1,
        patch_size=4,
        num_heads=2,
        num_attentions=1,
        similarity="dot",
        projection="linear",
    ),
    "cnn": CnnConfig(embed_dim=16, conv_depth=1, patch_size=4),
}
VITS = [name for name in CONFIGS if name.startswith("vit")]


def keep_maps(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """From now on every attention appends its map, ``B A N N`` and in the graph, to this list."""
    maps: list[Tensor] = []

    def attend(q: Tensor, k: Tensor, v: Tensor, *, path: str, mask: Tensor | None = None) -> Tensor:
        scores = q @ k.transpose(-2, -1)
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        maps.append(scores.softmax(dim=-1))
        return maps[-1] @ v

    def attend_in_windows(
        q: Tensor,
        k: Tensor,
        v: Tensor,
        *,
        grid: Grid,
        num_prefix: int,
        window_size: int,
        path: str,
    ) -> Tensor:
        return attend(q, k, v, path=path, mask=window_mask(grid, num_prefix, window_size, q))

    monkeypatch.setattr(attention, "attend", attend)
    monkeypatch.setattr(attention, "attend_in_windows", attend_in_windows)
    return maps


def grid_of(num_patches: int) -> Grid:
    """The grid of so many patches of a picture whose sides are as 4 to 3."""
    side = round((num_patches / 12) ** 0.5)
    return Grid(1, 4 * side, 3 * side)


def set_path(task: torch.nn.Module, path: AttentionPath) -> None:
    """Makes all attention of a model take one path."""
    for module in task.modules():
        if isinstance(module, attention.SelfAttention):
            module.path = path
