"""Eight pictures with a bright square each, in one of three colours."""

import torch

from saccade.config.task import DetectConfig
from saccade.data.batch import Batch
from saccade.data.targets import BoxTargets
from tests.contract.worlds.world import World, squares, tiny_config, tiny_preprocess


def world() -> World:
    """The colour of the square is its class."""
    return World(
        config=tiny_config(DetectConfig(object_width=0.4, object_height=0.4)),
        class_names=("red", "green", "blue"),
        preprocess=tiny_preprocess(),
        examples=examples,
    )


def examples(height: int, width: int) -> Batch:
    """Where the squares are, in pictures that had another size before."""
    images, boxes = squares(8, height, width)
    return Batch(
        images=images,
        targets=BoxTargets(
            boxes_xyxy=boxes[:, None].float(),
            labels=(torch.arange(8) % 3)[:, None],
            is_crowd=torch.zeros(8, 1, dtype=torch.bool),
        ),
        ids=torch.arange(8),
        sizes=torch.tensor([[2 * height, 3 * width]]).expand(8, -1),
    )
