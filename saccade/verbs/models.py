"""models: what can be built."""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config, model_names

SOURCES = {
    "vit": "arXiv 2010.11929",
    "rag": "ReZero: arXiv 2003.04887",
    "attncnn": "non-local networks: arXiv 1711.07971",
    "cnn": "the baseline",
}


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """One model.

    Attributes:
        name: family, size and patch.
        num_parameters: of the backbone, for RGB pictures.
        gflops: of one forward pass at ``image_size``, counting a multiply-add as two.
        image_size: pixels a side.
        source: the paper.
    """

    name: str
    num_parameters: int
    gflops: float
    image_size: int
    source: str


def models(*, image_size: int = 224) -> list[ModelInfo]:
    """Every family in every size, with its cost; nothing is allocated for it.

    Args:
        image_size: pixels a side that the cost is given for.
    """
    return [_describe(name, image_size) for name in model_names()]


def _describe(name: str, image_size: int) -> ModelInfo:
    with torch.device("meta"):
        backbone = build_backbone(model_config(name), in_channels=3).eval()
        images = torch.empty(1, 3, image_size, image_size)
    with FlopCounterMode(display=False) as counter:
        backbone(images)
    return ModelInfo(
        name=name,
        num_parameters=sum(parameter.numel() for parameter in backbone.parameters()),
        gflops=counter.get_total_flops() / 1e9,
        image_size=image_size,
        source=SOURCES[name.partition("-")[0]],
    )
