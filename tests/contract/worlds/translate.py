"""Eight noisy squares, and the same squares on black, which they are to become."""

import torch

from saccade.config.task import FlowConfig, TranslateConfig
from saccade.data.batch import Batch
from saccade.data.targets import PictureTargets
from tests.contract.worlds.world import World, squares, tiny_config, tiny_preprocess


def world() -> World:
    """The observer has no classes to learn, so it stays as it is."""
    return World(
        config=tiny_config(TranslateConfig(flow=FlowConfig(num_steps=3))),
        class_names=(),
        preprocess=tiny_preprocess(),
        examples=examples,
        untrained=("observer.",),
    )


def examples(height: int, width: int) -> Batch:
    """Pairs."""
    images, _ = squares(8, height, width)
    clean = torch.where(images > 128, images, 0).to(torch.uint8)
    return Batch(images=images, targets=PictureTargets(images=clean), ids=torch.arange(8))
