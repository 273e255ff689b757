"""LeGrad: which patches raise the score of a class, from the gradient of attention."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.attribution.heat import as_grid, resample, stretch
from saccade.attribution.layers import BlockPass, Images, block_by_block, has_blocks, scores_of
from saccade.attribution.rollout import require_attention
from saccade.tasks.task import Explained
from saccade.transformer.trace import Trace, TracedLayer


@torch.enable_grad()
def legrad(task: Explained, images: Images, classes: Int64[Tensor, " B"]) -> Float[Tensor, "B ..."]:
    """The gradient of a class score with respect to each attention map (arXiv 2404.03214).

    For every layer the score is read from that layer's own tokens (final norm, pooling and head
    applied to them), and differentiated by that layer's map. Positive parts are averaged over heads
    and over the tokens that look, and summed over layers; what stays is one number for each token
    that is looked at. Where the head cannot read a layer (attncnn), the final score is used.

    No map is formed for it: its gradient follows from that of the context, in pieces of rows. So
    it costs memory linear in the number of tokens, and works whichever way attention is computed.

    Args:
        task: in evaluation mode; its weights need no gradient.
        images: pictures or clips.
        classes: the class to explain, for each picture.

    Returns:
        Heat on the finest attended grid, 0 to 1 in each picture or clip.

    Raises:
        UsageError: the model has no attention.
    """
    if has_blocks(task):
        return stretch(_from_each_block(task, images, classes))
    return stretch(_from_the_end(task, images, classes))


def _from_each_block(
    task: Explained, images: Images, classes: Int64[Tensor, " B"]
) -> Float[Tensor, "B ..."]:
    def from_one(block: BlockPass) -> Float[Tensor, "B ..."]:
        scores = scores_of(task, block.after, classes)
        (gradient,) = torch.autograd.grad(scores.sum(), block.layer.context)
        return _relevance(block.layer, gradient)

    # Not a loop: its variables would keep a block's activations while the next one runs.
    return torch.stack(list(map(from_one, block_by_block(task, images)))).sum(dim=0)


def _from_the_end(
    task: Explained, images: Images, classes: Int64[Tensor, " B"]
) -> Float[Tensor, "B ..."]:
    assert images.ndim == 4  # only blocks of one width read clips
    trace = Trace()
    # The pictures carry the gradient, so frozen weights do not matter.
    tokens = task.backbone(task.normalise(images).requires_grad_(), trace)
    layers = require_attention(trace)
    scores = task.score(tokens, classes)  # B
    gradients = torch.autograd.grad(scores.sum(), [layer.context for layer in layers])
    grid = max((layer.grid for layer in layers), key=lambda g: g.num_tokens)
    total = torch.zeros(len(images), grid.h, grid.w, device=images.device)
    for layer, gradient in zip(layers, gradients, strict=True):
        total = total + resample(_relevance(layer, gradient), grid)
    return total


@torch.no_grad()
def _relevance(layer: TracedLayer, gradient: Float[Tensor, "B A N E"]) -> Float[Tensor, "B ..."]:
    batch, heads, num_tokens, _ = layer.k.shape
    looked_at = torch.zeros(batch, num_tokens, device=gradient.device)
    for rows in layer.chunks():
        part = layer.attention_gradient(gradient, rows).float().clamp(min=0)  # B A n N
        looked_at += part.sum(dim=(1, 2))
    looked_at /= heads * layer.q.shape[2]
    return as_grid(looked_at[:, layer.num_prefix :], layer.grid)
