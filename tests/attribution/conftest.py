"""Small models with every weight alive, as if trained, and pictures to explain."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from saccade.backbones.build import build_backbone
from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)
from saccade.config.run import Preprocess
from saccade.heads.classify import ClassHead
from saccade.tasks.classify import Classify

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
CONFIGS: dict[str, ModelConfig] = {
    "vit": VIT,
    "vit-class": replace(VIT, has_class_token=True, num_registers=2),
    "rag": RagConfig(
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
    ),
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


@pytest.fixture
def make_task() -> Callable[[str], Classify]:
    """A model by its name in ``CONFIGS``, three classes, in evaluation mode."""

    def make(name: str) -> Classify:
        config = CONFIGS[name]
        head = ClassHead(16, num_classes=3, pool="class" if name == "vit-class" else "mean")
        nn.init.normal_(head.classify.weight)
        task = Classify(
            backbone=build_backbone(config, in_channels=3, image_size=16),
            head=head,
            class_names=("ant", "bee", "cat"),
            preprocess=Preprocess(
                height=16, width=16, channels=3, fit="crop", mean=(0.5,) * 3, std=(0.3,) * 3
            ),
            label_smoothing=0.0,
        )
        for name, parameter in task.named_parameters():
            if name.endswith("attention_gate.alpha"):
                nn.init.constant_(parameter, -0.6)
            if name.endswith("mlp_gate.alpha"):
                nn.init.constant_(parameter, 0.4)
        return task.eval()

    return make


@pytest.fixture
def images() -> Tensor:
    """Three pictures whose grid of 4-pixel patches is 4 by 3."""
    return torch.randint(0, 256, (3, 3, 16, 12), dtype=torch.uint8)


@pytest.fixture
def classes() -> Tensor:
    return torch.tensor([2, 0, 1])
