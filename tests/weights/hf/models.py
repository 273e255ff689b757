"""Models of ours in the shapes of transformers' families, small, every number of them drawn."""

from dataclasses import replace

import torch
from torch import Tensor

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.weights.blank import blank
from saccade.weights.hf.videomae import sinusoids

CLASSES = ("cat", "dog", "heron")

VIT = VitConfig(
    embed_dim=16,
    depth=2,
    num_heads=2,
    mlp_ratio=2.5,
    patch_size=4,
    stem="patches",
    position="learned",
    residual="prenorm",
    num_registers=0,
    has_class_token=True,
    drop_path=0.0,
    position_grid=(1, 3, 3),
    num_prefix_positions=1,
    position_antialias=False,
    norm_eps=1e-5,
    pool="class",
)
DEIT = replace(VIT, num_registers=1, num_prefix_positions=2, pool="distilled")
DINOV2 = replace(VIT, residual="layerscale", mlp_ratio=4.0, pool="class_and_mean")
REGISTERS = replace(DINOV2, num_registers=3, position_antialias=True)
GIANT = replace(REGISTERS, mlp_ratio=48 / 16, has_gated_mlp=True, activation="silu")
DINOV3 = replace(
    VIT,
    position="rotary",
    rotary_base=50.0,
    num_prefix_positions=0,
    num_registers=2,
    residual="layerscale",
)
VIDEO = replace(
    VIT,
    tubelet_size=2,
    position_grid=(2, 3, 3),
    num_prefix_positions=0,
    has_class_token=False,
    pool="mean",
)
VIDEO_CLASSIFIER = replace(VIDEO, final_norm="pooled", pooled_norm_eps=1e-5)

PREPROCESS = Preprocess(
    height=12,
    width=12,
    channels=3,
    fit="crop",
    mean=(0.5, 0.4, 0.3),
    std=(0.2, 0.3, 0.4),
    resize_side=14,
    interpolation="bicubic",
)


def drawn(model: VitConfig, *, num_classes: int) -> dict[str, Tensor]:
    """Every tensor of our task, from a normal distribution.

    Two things are not drawn, since the layout has no place for them: positions of clips, which are
    a formula, and the biases of keys where a family has none.
    """
    generator = torch.Generator().manual_seed(0)
    tensors = {
        name: torch.randn(each.shape, generator=generator)
        for name, each in blank(model, num_classes=num_classes).items()
    }
    if model.tubelet_size > 1:
        table = tensors["backbone.position.table"]
        tensors["backbone.position.table"] = sinusoids(table.shape[1], table.shape[2])
    if model.tubelet_size > 1 or model.position == "rotary":
        for name, each in tensors.items():
            if name.endswith("qkv.bias"):
                each.view(3, -1)[1] = 0
    return tensors
