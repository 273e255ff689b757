"""Eight pictures with a square each: its pixels by class, or as an object."""

import torch

from saccade.config.task import SegmentConfig, SegmentMethod
from saccade.data.batch import Batch
from saccade.data.targets import MapTargets, SegmentTargets
from tests.contract.worlds.world import World, squares, tiny_config, tiny_preprocess


def world() -> World:
    """The colour of the square is the class of its pixels."""
    return pixels("upsample")


def linear_world() -> World:
    """The same, by the linear head."""
    return pixels("linear")


def pixels(method: SegmentMethod) -> World:
    """Classes of pixels."""
    task = SegmentConfig(method=method)
    return World(
        config=tiny_config(task),
        class_names=("background", "red", "green", "blue"),
        preprocess=tiny_preprocess(),
        examples=class_maps,
    )


def mask_world() -> World:
    """Each square is an object."""
    task = SegmentConfig(method="eomt", truth="segments", num_queries=4, num_query_blocks=1)
    return World(
        config=tiny_config(task),
        class_names=("red", "green", "blue"),
        preprocess=tiny_preprocess(),
        examples=segments,
    )


def class_maps(height: int, width: int) -> Batch:
    """0 is the background, and one row of pixels is unknown."""
    images, inside = inside_of_squares(height, width)
    classes = inside * (torch.arange(8) % 3 + 1)[:, None, None]
    classes[:, 0] = 255
    return Batch(
        images=images, targets=MapTargets(classes=classes.to(torch.uint8)), ids=torch.arange(8)
    )


def segments(height: int, width: int) -> Batch:
    """Each square is segment 1 of its picture."""
    images, inside = inside_of_squares(height, width)
    targets = SegmentTargets(segments=inside.to(torch.int32), labels=(torch.arange(8) % 3)[:, None])
    return Batch(images=images, targets=targets, ids=torch.arange(8))


def inside_of_squares(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures, and which of their pixels belong to the square (bool, B H W)."""
    images, boxes = squares(8, height, width)
    left, top, right, bottom = boxes[:, :, None, None].unbind(dim=1)
    y, x = torch.arange(height)[None, :, None], torch.arange(width)[None, None]
    return images, (x >= left) & (x < right) & (y >= top) & (y < bottom)
