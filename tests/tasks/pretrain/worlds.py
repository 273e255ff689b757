"""A tiny model and a few pictures, for the tests of each way to learn without labels."""

from typing import Any

import torch

from saccade.config.model import ModelConfig
from saccade.config.task import PretrainConfig
from saccade.data.batch import Batch
from saccade.tasks.pretrain.build import AnyPretrain, build_pretrain
from tests.contract.worlds.world import VIT, tiny_preprocess

SMALL: dict[str, Any] = {
    "num_local_views": 2,
    "local_size": 8,
    "projector_hidden": 16,
    "projector_dim": 4,
    "num_slices": 8,
    "num_prototypes": 8,
    "decoder_dim": 16,
    "decoder_depth": 1,
    "decoder_heads": 2,
}


def make(model: ModelConfig = VIT, **numbers: Any) -> AnyPretrain:
    """A task with fresh weights."""
    config = PretrainConfig(**(SMALL | numbers))
    return build_pretrain(model, config, class_names=(), preprocess=tiny_preprocess(), seed=0)


def pictures(count: int = 6, *, labels: bool = False) -> Batch:
    """Noise, each picture of a brightness of its own."""
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(100, (count, 3, 16, 16), dtype=torch.uint8, generator=generator)
    images += (torch.arange(count) % 3 * 60).to(torch.uint8)[:, None, None, None]
    targets = torch.arange(count) % 3 if labels else None
    return Batch(images=images, targets=targets, ids=torch.arange(count))
