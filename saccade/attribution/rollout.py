"""Attention rollout: where the information of the output came from, whatever the class."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from saccade.attribution.heat import as_grid, stretch
from saccade.attribution.layers import Images, has_blocks, layers_backwards
from saccade.errors import UsageError
from saccade.tasks.task import Explained
from saccade.transformer.trace import Trace, TracedLayer


@torch.no_grad()
def rollout(task: Explained, images: Images) -> Float[Tensor, "B ..."]:
    """Follows attention back through all blocks (Abnar and Zuidema, arXiv 2005.00928).

    A block passes on its input and adds ``alpha`` times what attention mixed, so one step back is
    ``(I + |alpha| A) / (1 + |alpha|)``, with A averaged over heads. For a plain residual alpha is 1
    and this is the usual half and half; for ReZero the learned alpha says how much a block speaks,
    and a block with alpha 0 changes nothing, as it should.

    The naive version multiplies the steps of all layers, N x N each, and reads one row (the class
    token's, or the mean of the patches). Reading first and stepping back from the last layer to the
    first gives the same with vectors alone, and each map is needed but once, in pieces of rows. So
    it costs memory linear in the number of tokens.

    It cannot know the class: it is the control for methods that can. Where the grid changes on the
    way (attncnn), only the layers on the last grid are followed.

    Args:
        task: in evaluation mode.
        images: pictures or clips.

    Returns:
        Heat on the patch grid, 0 to 1 in each picture or clip.

    Raises:
        UsageError: the model has no attention.
    """
    layers = layers_backwards(task, images) if has_blocks(task) else _traced(task, images)
    last = next(layers)
    came_from = _step_back(last, _what_the_head_reads(task, last))  # B N
    for layer in layers:
        if layer.grid == last.grid:
            came_from = _step_back(layer, came_from)
    return stretch(as_grid(came_from[:, last.num_prefix :], last.grid))


def require_attention(trace: Trace) -> list[TracedLayer]:
    """The layers traced.

    Raises:
        UsageError: there are none.
    """
    if not trace.layers:
        raise UsageError("this model has no attention to look at; use --method gradcam")
    return trace.layers


def _traced(task: Explained, images: Images) -> Iterator[TracedLayer]:
    trace = Trace()
    task.backbone(task.normalise(images), trace)
    return reversed(require_attention(trace))


def _what_the_head_reads(task: Explained, last: TracedLayer) -> Float[Tensor, "B N"]:
    """A share for each token: one for the class token, or the same for each patch."""
    batch, _, num_tokens, _ = last.q.shape
    first = torch.zeros(batch, num_tokens, device=last.q.device)
    first[:, :1] = 1.0
    mean = torch.zeros_like(first)
    mean[:, last.num_prefix :] = 1 / (num_tokens - last.num_prefix)
    match task.reads:
        case "mean":
            return mean
        case "class":
            return first
        case "class_and_mean":
            return (first + mean) / 2
        case "distilled":
            return (first + first.roll(1, dims=1)) / 2


def _step_back(layer: TracedLayer, came_from: Float[Tensor, "B N"]) -> Float[Tensor, "B N"]:
    before = torch.zeros_like(came_from)
    for rows in layer.chunks():
        mean = layer.attention(rows).float().mean(dim=1)  # B n N
        before += (came_from[:, None, rows] @ mean)[:, 0]
    strength = abs(layer.alpha)
    return (came_from + strength * before) / (1 + strength)
