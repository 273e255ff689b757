"""Masks of objects are not learned in a few steps; their pixels are."""

import math
from collections.abc import Mapping

from saccade.config.run import RunConfig
from saccade.config.task import SegmentConfig
from saccade.planning.budget import Choice
from saccade.planning.recipe import Instead

FEWEST_OBJECT_STEPS = 1000
"""From scratch; with fewer, masks of objects are hardly found (nuclei, 79 steps: AP50 0.001)."""

ASKS_FOR_OBJECTS = (
    "task.method",
    "task.num_queries",
    "task.patch_weight",
    "task.num_query_blocks",
    "task.has_mask_attention",
    "task.stuff",
)
"""Settings by which a user has said that it is objects that he wants."""


def pixels_instead(
    config: RunConfig, choice: Choice, settings: Mapping[str, str]
) -> Instead | None:
    """The pixels of objects, where there are too few steps for the objects themselves.

    It is the same job and the same masks, of which less is learned: which pixels are of an object,
    and of which class, but not where one ends and the next begins.

    Args:
        config: planned from scratch.
        choice: the model, its measured speed and the steps.
        settings: what the user fixed; who asks for objects gets them.
    """
    assert isinstance(config.task, SegmentConfig)
    is_asked = any(name in settings for name in ASKS_FOR_OBJECTS)
    if config.task.method != "eomt" or config.steps >= FEWEST_OBJECT_STEPS or is_asked:
        return None
    if choice.seconds_per_step is None:
        wanted = f"--steps {FEWEST_OBJECT_STEPS} or more"
    else:
        minutes = math.ceil(FEWEST_OBJECT_STEPS * choice.seconds_per_step / 60) + 1
        wanted = f"--budget {minutes}m or more"
    return Instead(
        settings={"task.method": "upsample"},
        reason=(
            f"objects    are not told apart: {config.steps:,} steps are too few to learn masks of "
            f"objects from scratch (it takes {FEWEST_OBJECT_STEPS:,} and more), so a class for "
            f"each pixel is learned instead. For objects: {wanted}; or --set task.method=eomt, in "
            "these steps; or --init from weights"
        ),
    )
