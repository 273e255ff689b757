"""The same eight pictures, with somebody who says what is on them."""

from dataclasses import replace

import torch
import torch.nn.functional as F

from saccade.config.task import ClassifyConfig, PretrainConfig, TeachConfig
from saccade.data.batch import Batch
from saccade.data.targets import ToldFeatures, ToldLogits
from tests.contract.worlds import classify
from tests.contract.worlds.world import RAG, World, tiny_config, tiny_preprocess

WIDTH = 5


def logits() -> World:
    """Probabilities, with labels beside them."""
    return _classifier(TeachConfig(method="logits", weight=0.5))._replace(examples=said)


def hard() -> World:
    """Answers, without labels; on the family whose blocks begin as the identity."""
    world = _classifier(TeachConfig(method="hard", has_labels=False))._replace(examples=said)
    return world._replace(config=replace(world.config, model=RAG))


def features() -> World:
    """What a teacher sees, with labels."""
    teach = TeachConfig(method="features", weight=0.5, width=WIDTH)
    return _classifier(teach)._replace(examples=seen)


def backbone() -> World:
    """The same without labels."""
    config = tiny_config(PretrainConfig(method="features"))
    teach = TeachConfig(method="features", has_labels=False, width=WIDTH)
    return World(
        config=replace(config, teach=teach),
        class_names=(),
        preprocess=tiny_preprocess(),
        examples=seen,
    )


def said(height: int, width: int) -> Batch:
    """A teacher that is nearly sure, and right."""
    batch = classify.examples(height, width)
    return replace(batch, told=ToldLogits(logits=4 * F.one_hot(batch.labels, 3).float()))


def seen(height: int, width: int) -> Batch:
    """A teacher with a vector for each colour, the same in all of its 2 x 2 patches."""
    batch = classify.examples(height, width)
    colours = F.normalize(torch.eye(3, WIDTH) + 0.2, dim=1)
    vectors = colours[batch.labels][:, None, None].expand(-1, 2, 2, -1)
    return replace(batch, told=ToldFeatures(vectors=vectors))


def _classifier(teach: TeachConfig) -> World:
    return World(
        config=replace(tiny_config(ClassifyConfig()), teach=teach),
        class_names=("red", "green", "blue"),
        preprocess=tiny_preprocess(),
        examples=classify.examples,
    )
