"""The ways to explain, by name."""

from typing import Literal, get_args

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saccade.attribution.gradcam import gradcam
from saccade.attribution.legrad import legrad
from saccade.attribution.rollout import rollout
from saccade.backbones.cnn import Cnn
from saccade.errors import UsageError, nearest
from saccade.tasks.classify import Classify

Method = Literal["legrad", "rollout", "gradcam"]


def heat(
    task: Classify,
    images: UInt8[Tensor, "B C H W"],
    classes: Int64[Tensor, " B"],
    *,
    method: Method,
) -> Float[Tensor, "B h w"]:
    """Where a model looked, for the class asked; rollout ignores the class.

    Returns:
        0 to 1 in each picture, on the model's patch grid.

    Raises:
        UsageError: the method needs attention and the model has none.
    """
    match method:
        case "legrad":
            return legrad(task, images, classes)
        case "rollout":
            return rollout(task, images)
        case "gradcam":
            return gradcam(task, images, classes)


def default_methods(task: Classify) -> tuple[Method, ...]:
    """LeGrad with rollout as its control; Grad-CAM where there is no attention."""
    return ("gradcam",) if isinstance(task.backbone, Cnn) else ("legrad", "rollout")


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
