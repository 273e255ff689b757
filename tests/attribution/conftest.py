"""Small models with every weight alive, as if trained, and pictures to explain."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from saccade.backbones.build import build_backbone
from saccade.config.run import Preprocess
from saccade.tasks.build import build_head
from saccade.tasks.classify import Classify
from tests.attribution.written_out import CONFIGS


@pytest.fixture
def make_task() -> Callable[[str], Classify]:
    """A model by its name in ``CONFIGS``, three classes, in evaluation mode."""

    def make(name: str) -> Classify:
        config = CONFIGS[name]
        task = Classify(
            backbone=build_backbone(config, in_channels=3),
            head=build_head(config, num_classes=3),
            class_names=("ant", "bee", "cat"),
            preprocess=Preprocess(
                height=16, width=16, channels=3, fit="crop", mean=(0.5,) * 3, std=(0.3,) * 3
            ),
            label_smoothing=0.0,
        )
        for name, parameter in task.named_parameters():
            if name.startswith("head.classify") and name.endswith("weight"):
                nn.init.normal_(parameter)
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
