"""Eight pictures of three classes, to be drawn from noise."""

from saccade.config.task import FlowConfig, GenerateConfig
from saccade.data.batch import Batch
from tests.contract.worlds.classify import examples as labelled
from tests.contract.worlds.world import World, tiny_config, tiny_preprocess


def world() -> World:
    """The loss is as much that of the observer, which is quick, as that of the flow."""
    return World(
        config=tiny_config(GenerateConfig(flow=FlowConfig(num_steps=3), num_judged=8)),
        class_names=("red", "green", "blue"),
        preprocess=tiny_preprocess(),
        examples=examples,
    )


def examples(height: int, width: int) -> Batch:
    """Squares in three colours."""
    return labelled(height, width)
