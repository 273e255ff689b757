"""Our task's tensors without values: which names and shapes a model of a given shape has."""

import torch
from torch import Tensor

from saccade.backbones.build import build_backbone
from saccade.config.model import VitConfig
from saccade.errors import DataError
from saccade.tasks.build import build_head


def blank(config: VitConfig, *, num_classes: int, in_channels: int = 3) -> dict[str, Tensor]:
    """Meta tensors by the names of our task; nothing is allocated.

    Args:
        config: the shape.
        num_classes: outputs K of the head; 0 for weights without one. A norm after pooling
            (``final_norm="pooled"``) belongs to the head and is there all the same.
        in_channels: 3 for RGB, 1 for grey pictures.

    Raises:
        DataError: the numbers do not fit together, such as heads that do not divide the width.
    """
    try:
        with torch.device("meta"):
            backbone = build_backbone(config, in_channels=in_channels)
            head = build_head(config, num_classes=max(num_classes, 1))
    except ValueError as error:
        raise DataError(f"no model has this shape: {error}") from None
    tensors = {f"backbone.{name}": value for name, value in backbone.state_dict().items()}
    tensors |= {f"head.{name}": value for name, value in head.state_dict().items()}
    if num_classes == 0:
        tensors = {
            name: value for name, value in tensors.items() if not name.startswith("head.classify")
        }
    return tensors
