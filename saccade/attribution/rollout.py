"""Attention rollout: where the information of the output came from, whatever the class."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from saccade.attribution.heat import as_grid, stretch
from saccade.errors import UsageError
from saccade.tasks.classify import Classify
from saccade.transformer.trace import Trace, TracedLayer


@torch.no_grad()
def rollout(task: Classify, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B h w"]:
    """Follows attention back through all blocks (Abnar and Zuidema, arXiv 2005.00928).

    A block passes on its input and adds ``alpha`` times what attention mixed, so one step back is
    ``(I + |alpha| A) / (1 + |alpha|)``, with A averaged over heads. For a plain residual alpha is 1
    and this is the usual half and half; for ReZero the learned alpha says how much a block speaks,
    and a block with alpha 0 changes nothing, as it should.

    It cannot know the class: it is the control for methods that can. Where the grid changes on the
    way (attncnn), only the layers on the last grid are followed.

    Args:
        task: in evaluation mode.
        images: pictures as bytes.

    Returns:
        Heat on the patch grid, 0 to 1 in each picture.

    Raises:
        UsageError: the model has no attention.
    """
    trace = Trace()
    task.tokens(images, trace)
    layers = require_attention(trace)
    last = layers[-1]
    total = torch.eye(last.attention.shape[-1], device=images.device)  # N N
    for layer in layers:
        if layer.grid != last.grid:
            continue
        total = _step_back(layer) @ total  # B N N
    read = total[:, 0] if task.head.pool == "class" else total[:, last.num_prefix :].mean(dim=1)
    return stretch(as_grid(read[:, last.num_prefix :], last.grid))


def require_attention(trace: Trace) -> list[TracedLayer]:
    """The layers traced.

    Raises:
        UsageError: there are none.
    """
    if not trace.layers:
        raise UsageError("this model has no attention to look at; use --method gradcam")
    return trace.layers


def _step_back(layer: TracedLayer) -> Float[Tensor, "B N N"]:
    attention = layer.attention.float().mean(dim=1)  # B N N
    strength = abs(layer.alpha)
    identity = torch.eye(attention.shape[-1], device=attention.device)
    return (identity + strength * attention) / (1 + strength)
