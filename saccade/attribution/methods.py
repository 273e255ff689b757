"""The ways to explain, by name."""

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.attribution.gradcam import gradcam
from saccade.attribution.layers import Images
from saccade.attribution.legrad import legrad
from saccade.attribution.rollout import rollout
from saccade.backbones.cnn import Cnn
from saccade.errors import UsageError, nearest
from saccade.tasks.build import AnyTask
from saccade.tasks.task import Explained

Method = Literal["legrad", "rollout", "gradcam"]

NUMBERS_AT_A_TIME = 2**22
"""Tokens times their width, of the pictures explained together: 16 MiB in fp32.

A block keeps some 20 tensors of this size for its gradient. Two pictures of 1024 px in vit-s16, 55
of 224 px.
"""


def heat(
    task: Explained,
    images: Images,
    classes: Int64[Tensor, " B"],
    *,
    method: Method,
) -> Float[Tensor, "B ..."]:
    """Where a model looked, for the class asked; rollout ignores the class.

    Memory does not grow with the batch: large pictures are explained a few at a time.

    Returns:
        0 to 1 in each picture, on the model's patch grid; or in each clip, on its grid in time,
        height and width.

    Raises:
        UsageError: the method needs attention and the model has none.
    """
    height, width = images.shape[-2:]
    num_frames = images.shape[1] if images.ndim == 5 else 1
    size = max(1, pictures_at_a_time(task, height=height, width=width) // num_frames)
    heats = [
        _heat(task, some, their_classes, method=method)
        for some, their_classes in zip(images.split(size), classes.split(size), strict=True)
    ]
    return torch.cat(heats)


def pictures_at_a_time(task: Explained | AnyTask, *, height: int, width: int) -> int:
    """How many pictures of this size fit in ``NUMBERS_AT_A_TIME``; at least one."""
    patch_size = task.backbone.patch_size
    num_patches = math.ceil(height / patch_size) * math.ceil(width / patch_size)
    return max(1, NUMBERS_AT_A_TIME // (num_patches * task.backbone.embed_dim))


def default_methods(task: Explained, *, has_places: bool = False) -> tuple[Method, ...]:
    """LeGrad with rollout as its control; Grad-CAM where there is no attention.

    Args:
        task: to explain.
        has_places: whether its patches answer each for its own place, as in detection. A patch then
            says what lies on it, and attention brings what lies around: the hottest patch of
            Grad-CAM lay on the object asked for 99 times in 100, LeGrad's 45, rollout's 7 (demo of
            detection, 115 pictures, one seed).
    """
    if isinstance(task.backbone, Cnn):
        return ("gradcam",)
    return ("gradcam", "legrad") if has_places else ("legrad", "rollout")


def parse_method(name: str) -> Method:
    """A method by its name.

    Raises:
        UsageError: no method has this name.
    """
    for method in get_args(Method):
        if method == name:
            return method
    raise UsageError(f"no method is called {name!r}; {nearest(name, get_args(Method))}")


def most_likely(probs: Float[Tensor, "B K"]) -> Int64[Tensor, " B"]:
    """The class to explain when none is asked for."""
    return torch.argmax(probs, dim=1)


def _heat(
    task: Explained,
    images: Images,
    classes: Int64[Tensor, " B"],
    *,
    method: Method,
) -> Float[Tensor, "B ..."]:
    match method:
        case "legrad":
            return legrad(task, images, classes)
        case "rollout":
            return rollout(task, images)
        case "gradcam":
            return gradcam(task, images, classes)
