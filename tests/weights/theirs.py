"""Small files as timm, torchvision and Google write them, every number drawn; no library needed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

WIDTH, HEADS, HIDDEN, DEPTH, PATCH, CELLS, CLASSES = 64, 2, 96, 2, 4, 3, 5

TIMM_CONFIG = {
    "architecture": "vit_small_patch16_224",
    "num_classes": CLASSES,
    "global_pool": "token",
    "label_names": ["ant", "bee", "cat", "dog", "elk"],
    "model_args": {"num_heads": HEADS},
    "pretrained_cfg": {
        "tag": "augreg_in1k",
        "input_size": [3, PATCH * CELLS, PATCH * CELLS],
        "crop_pct": 0.9,
        "crop_mode": "center",
        "interpolation": "bicubic",
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.25, 0.3],
        "license": "apache-2.0",
    },
}


def timm_tensors() -> dict[str, Tensor]:
    """The plain ViT of timm, with class token."""
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, WIDTH),
        "pos_embed": (1, 1 + CELLS**2, WIDTH),
        "patch_embed.proj.weight": (WIDTH, 3, PATCH, PATCH),
        "patch_embed.proj.bias": (WIDTH,),
    }
    for index in range(DEPTH):
        block = f"blocks.{index}"
        shapes |= layer(f"{block}.norm1", WIDTH) | layer(f"{block}.norm2", WIDTH)
        shapes |= layer(f"{block}.attn.qkv", 3 * WIDTH, WIDTH)
        shapes |= layer(f"{block}.attn.proj", WIDTH, WIDTH)
        shapes |= layer(f"{block}.mlp.fc1", HIDDEN, WIDTH)
        shapes |= layer(f"{block}.mlp.fc2", WIDTH, HIDDEN)
    shapes |= layer("norm", WIDTH) | layer("head", CLASSES, WIDTH)
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def torchvision_tensors(*, mlp: tuple[str, str] = ("mlp.0", "mlp.3")) -> dict[str, Tensor]:
    """The ViT of torchvision; ``mlp`` are the names of its two layers."""
    shapes: dict[str, tuple[int, ...]] = {
        "class_token": (1, 1, WIDTH),
        "encoder.pos_embedding": (1, 1 + CELLS**2, WIDTH),
        "conv_proj.weight": (WIDTH, 3, PATCH, PATCH),
        "conv_proj.bias": (WIDTH,),
    }
    for index in range(DEPTH):
        block = f"encoder.layers.encoder_layer_{index}"
        shapes |= layer(f"{block}.ln_1", WIDTH) | layer(f"{block}.ln_2", WIDTH)
        shapes[f"{block}.self_attention.in_proj_weight"] = (3 * WIDTH, WIDTH)
        shapes[f"{block}.self_attention.in_proj_bias"] = (3 * WIDTH,)
        shapes |= layer(f"{block}.self_attention.out_proj", WIDTH, WIDTH)
        shapes |= layer(f"{block}.{mlp[0]}", HIDDEN, WIDTH)
        shapes |= layer(f"{block}.{mlp[1]}", WIDTH, HIDDEN)
    shapes |= layer("encoder.ln", WIDTH) | layer("heads.head", CLASSES, WIDTH)
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def google_arrays() -> dict[str, np.ndarray]:
    """One of Google's AugReg files."""
    shapes: dict[str, tuple[int, ...]] = {
        "cls": (1, 1, WIDTH),
        "Transformer/posembed_input/pos_embedding": (1, 1 + CELLS**2, WIDTH),
        "embedding/kernel": (PATCH, PATCH, 3, WIDTH),
        "embedding/bias": (WIDTH,),
        "Transformer/encoder_norm/scale": (WIDTH,),
        "Transformer/encoder_norm/bias": (WIDTH,),
        "head/kernel": (WIDTH, CLASSES),
        "head/bias": (CLASSES,),
    }
    for index in range(DEPTH):
        block = f"Transformer/encoderblock_{index}"
        for norm in ("LayerNorm_0", "LayerNorm_2"):
            shapes |= {f"{block}/{norm}/scale": (WIDTH,), f"{block}/{norm}/bias": (WIDTH,)}
        attention = f"{block}/MultiHeadDotProductAttention_1"
        for part in ("query", "key", "value"):
            shapes[f"{attention}/{part}/kernel"] = (WIDTH, HEADS, WIDTH // HEADS)
            shapes[f"{attention}/{part}/bias"] = (HEADS, WIDTH // HEADS)
        shapes[f"{attention}/out/kernel"] = (HEADS, WIDTH // HEADS, WIDTH)
        shapes[f"{attention}/out/bias"] = (WIDTH,)
        for dense, (inputs, outputs) in {
            "Dense_0": (WIDTH, HIDDEN),
            "Dense_1": (HIDDEN, WIDTH),
        }.items():
            shapes[f"{block}/MlpBlock_3/{dense}/kernel"] = (inputs, outputs)
            shapes[f"{block}/MlpBlock_3/{dense}/bias"] = (outputs,)
    return {name: torch.randn(shape).numpy() for name, shape in shapes.items()}


def layer(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    """A weight of the shape, and a bias."""
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def save(folder: Path, tensors: dict[str, Tensor], config: dict[str, Any] | None = None) -> Path:
    """A folder with model.safetensors, and config.json if there is a configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """An .npz archive."""
    savez: Any = np.savez  # a type checker would take the arrays for its options
    savez(path, **arrays)
    return path
