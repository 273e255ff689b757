"""LeGrad: which patches raise the score of a class, from the gradient of attention."""

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saccade.attribution.heat import as_grid, resample, stretch
from saccade.attribution.rollout import require_attention
from saccade.tasks.classify import Classify
from saccade.transformer.trace import Trace, TracedLayer


@torch.enable_grad()
def legrad(
    task: Classify, images: UInt8[Tensor, "B C H W"], classes: Int64[Tensor, " B"]
) -> Float[Tensor, "B h w"]:
    """The gradient of a class score with respect to each attention map (arXiv 2404.03214).

    For every layer the score is read from that layer's own tokens (final norm, pooling and head
    applied to them), and differentiated by that layer's map. Positive parts are averaged over heads
    and over the tokens that look, and summed over layers; what stays is one number for each token
    that is looked at. Where the head cannot read a layer (attncnn), the final score is used.

    Args:
        task: in evaluation mode; its weights need no gradient.
        images: pictures as bytes.
        classes: the class to explain, for each picture.

    Returns:
        Heat on the finest attended grid, 0 to 1 in each picture.

    Raises:
        UsageError: the model has no attention.
    """
    trace = Trace()
    # The pictures carry the gradient, so frozen weights do not matter.
    tokens = task.backbone(task.normalise(images).requires_grad_(), trace)
    layers = require_attention(trace)
    grid = max((layer.grid for layer in layers), key=lambda g: g.num_tokens)
    total = torch.zeros(len(images), grid.h, grid.w, device=images.device)
    for layer in layers:
        read = tokens if layer.tokens is None else task.backbone.readout(layer.tokens)
        scores = task.head(read).logits.gather(1, classes[:, None])  # B 1
        (gradient,) = torch.autograd.grad(scores.sum(), layer.attention, retain_graph=True)
        total = total + resample(_relevance(layer, gradient), grid)
    return stretch(total.detach())


def _relevance(layer: TracedLayer, gradient: Float[Tensor, "B A N N"]) -> Float[Tensor, "B h w"]:
    looked_at = gradient.float().clamp(min=0).mean(dim=(1, 2))  # B N
    return as_grid(looked_at[:, layer.num_prefix :], layer.grid)
