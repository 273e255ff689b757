"""Eight pictures with one of three classes each, to be brought together by class."""

from saccade.config.task import EmbedConfig
from tests.contract.worlds import classify
from tests.contract.worlds.world import World, tiny_config, tiny_preprocess


def world() -> World:
    """The colour of the square is the class."""
    return World(
        config=tiny_config(EmbedConfig(out_dim=8)),
        class_names=("red", "green", "blue"),
        preprocess=tiny_preprocess(),
        examples=classify.examples,
    )
