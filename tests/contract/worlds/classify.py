"""Eight pictures with one of three classes each."""

import torch

from saccade.config.task import ClassifyConfig
from saccade.data.batch import Batch
from tests.contract.worlds.world import World, squares, tiny_config, tiny_preprocess


def world() -> World:
    """The colour of the square is the class."""
    return World(
        config=tiny_config(ClassifyConfig()),
        class_names=("red", "green", "blue"),
        preprocess=tiny_preprocess(),
        examples=examples,
    )


def examples(height: int, width: int) -> Batch:
    """Squares in three colours."""
    images, _ = squares(8, height, width)
    return Batch(images=images, targets=torch.arange(8) % 3, ids=torch.arange(8))
