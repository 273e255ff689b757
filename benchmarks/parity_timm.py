"""timm's models beside ours: which families, how small, at which sizes."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.compare import Outputs, error, ours, randomise, recorded
from saccade.weights.read import read

SIDE, PATCH = 32, 8
SIZES = {"native": (32, 32), "larger": (48, 48), "not square": (40, 64), "smaller": (16, 24)}
"""Pictures of each comparison, height and width in pixels."""

_SMALL = {
    "img_size": SIDE,
    "patch_size": PATCH,
    "embed_dim": 48,
    "depth": 3,
    "num_heads": 4,
    "num_classes": 7,
    "dynamic_img_size": True,  # otherwise it takes one size only
}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A model of timm, made small.

    Attributes:
        name: as the table of results says it.
        architecture: the name that timm knows.
        changes: to its arguments, beside the small sizes.
    """

    name: str
    architecture: str
    changes: dict[str, Any] = field(default_factory=dict)

    def build(self, seed: int) -> nn.Module:
        """The model with random weights."""
        import timm  # noqa: PLC0415  no dependency: only who compares needs it

        model = timm.create_model(self.architecture, **{**_SMALL, **self.changes})
        randomise(model, seed=seed)
        return model

    def save(self, model: nn.Module, folder: Path) -> None:
        """Writes the folder that timm writes for the hub."""
        from timm.models import save_for_hf  # noqa: PLC0415

        save_for_hf(model, str(folder), safe_serialization=True)

    def run(self, model: nn.Module, images: Tensor) -> Outputs:
        """Its tokens after each block, and its logits."""
        return run(model, images)


def run(model: nn.Module, images: Tensor) -> Outputs:
    """The tokens of a model of timm after each block, and its logits (or its last tokens)."""
    blocks = model.get_submodule("blocks").children()
    has_head = isinstance(model.head, nn.Linear)
    return recorded(model, blocks, lambda: (model if has_head else model.forward_features)(images))


def pictures(size: str, *, seed: int) -> Tensor:
    """Random pictures of one of ``SIZES``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, *SIZES[size], generator=generator)


REFERENCES = (
    Reference(name="ViT", architecture="vit_base_patch16_224"),
    Reference(
        name="ViT, mean of the patches, norm after it",
        architecture="vit_base_patch16_224",
        changes={"global_pool": "avg"},
    ),
    Reference(
        name="ViT without class token (gap)",
        architecture="vit_medium_patch16_gap_256",
    ),
    Reference(
        name="ViT without a head",
        architecture="vit_base_patch16_224",
        changes={"num_classes": 0},
    ),
    Reference(
        name="ViT, norms on queries and keys",
        architecture="vit_base_patch16_224",
        changes={"qk_norm": True},
    ),
    Reference(name="DeiT", architecture="deit_small_patch16_224"),
    Reference(name="DeiT, distilled", architecture="deit_small_distilled_patch16_224"),
    Reference(name="DeiT III", architecture="deit3_small_patch16_224"),
    Reference(name="DINOv2", architecture="vit_small_patch14_dinov2"),
    Reference(name="DINOv2 with registers", architecture="vit_small_patch14_reg4_dinov2"),
    Reference(name="DINOv2 giant (SwiGLU)", architecture="vit_giant_patch14_dinov2"),
    Reference(
        name="ViT with 4 registers, mean (reg4_gap)",
        architecture="vit_base_patch16_reg4_gap_256",
    ),
    Reference(
        name="registers with positions (so150m)",
        architecture="vit_so150m_patch16_reg4_gap_256",
    ),
    Reference(name="CLIP", architecture="vit_base_patch16_clip_224"),
    Reference(name="CLIP, quick GELU", architecture="vit_base_patch16_clip_quickgelu_224"),
)
"""Every model that is compared."""


def errors(reference: Reference, *, seed: int) -> dict[str, float]:
    """How far ours is from theirs at each size; saved by them, read by us."""
    model = reference.build(seed)
    with TemporaryDirectory() as folder:
        reference.save(model, Path(folder))
        weights = read(folder)
    found = {}
    for size in SIZES:
        images = pictures(size, seed=seed + 1)
        found[size] = error(ours(weights, images), reference.run(model, images))
    return found
