"""Eight pictures without classes, by each of the methods."""

from typing import Any

import torch

from saccade.config.run import RunConfig
from saccade.config.task import PretrainConfig
from saccade.data.batch import Batch
from tests.contract.worlds.world import RAG, World, squares, tiny_config, tiny_preprocess

# The loss of views is never nothing: colours differ, and eight pictures are no Gaussian.
SMALL: dict[str, Any] = {
    "num_local_views": 2,
    "local_size": 8,
    "colour": 0.2,
    "projector_hidden": 32,
}


def visreg() -> World:
    """The default; on the family whose blocks begin as the identity."""
    config = PretrainConfig(method="visreg", projector_dim=4, num_slices=32, **SMALL)
    return _world(tiny_config(config, model=RAG))


def lejepa() -> World:
    """The same with another regulariser."""
    config = PretrainConfig(
        method="lejepa", projector_dim=4, num_slices=32, regulariser=0.05, **SMALL
    )
    return _world(tiny_config(config))


def dino() -> World:
    """A student and its teacher, which gets no gradient."""
    config = PretrainConfig(method="dino", projector_dim=8, num_prototypes=16, **SMALL)
    return _world(tiny_config(config))._replace(untrained=("teacher",))


def mae() -> World:
    """Three quarters of each picture hidden."""
    config = PretrainConfig(method="mae", decoder_dim=16, decoder_depth=1, decoder_heads=2)
    return _world(tiny_config(config, lr=1e-2))


def examples(height: int, width: int) -> Batch:
    """Squares in three colours, which nobody says."""
    images, _ = squares(8, height, width)
    return Batch(images=images, targets=None, ids=torch.arange(8))


def _world(config: RunConfig) -> World:
    return World(
        config=config,
        class_names=(),
        preprocess=tiny_preprocess(),
        examples=examples,
    )
