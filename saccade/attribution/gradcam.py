"""Grad-CAM on the last tokens: works on every backbone, the plain CNN too."""

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saccade.attribution.heat import as_grid, stretch
from saccade.attribution.layers import class_scores, last_block
from saccade.backbones.vit import Vit
from saccade.errors import UsageError
from saccade.tasks.classify import Classify
from saccade.tokens.tokens import Tokens


@torch.enable_grad()
def gradcam(
    task: Classify, images: UInt8[Tensor, "B C H W"], classes: Int64[Tensor, " B"]
) -> Float[Tensor, "B h w"]:
    """Last tokens weighted by the mean gradient of the class score (arXiv 1610.02391).

    Args:
        task: in evaluation mode; its weights need no gradient.
        images: pictures as bytes.
        classes: the class to explain, for each picture.

    Returns:
        Heat on the patch grid, 0 to 1 in each picture.

    Raises:
        UsageError: the head reads a class token and there is but one block, so that no patch
            reaches the score except through attention.
    """
    tokens, scores = _last_patches(task, images, classes)
    (gradient,) = torch.autograd.grad(scores.sum(), tokens.x)
    weights = gradient[:, tokens.num_prefix :].mean(dim=1, keepdim=True)  # B 1 D
    heat = (weights * tokens.patches).sum(dim=2).clamp(min=0)  # B n
    return stretch(as_grid(heat.detach().float(), tokens.grid))


def _last_patches(
    task: Classify, images: UInt8[Tensor, "B C H W"], classes: Int64[Tensor, " B"]
) -> tuple[Tokens, Float[Tensor, "B 1"]]:
    """The last tokens whose patches still reach the score, and the score."""
    if task.head.pool == "mean":
        with torch.no_grad():
            final = task.tokens(images)
        final = final.with_x(final.x.detach().requires_grad_())
        return final, task.head(final).logits.gather(1, classes[:, None])
    # A class token has read the patches by then; they speak last as the input of the last block.
    assert isinstance(task.backbone, Vit)
    if len(task.backbone.blocks) < 2:
        raise UsageError("Grad-CAM needs two blocks under a class token; use --method legrad")
    before, _, after = last_block(task, images)
    return before, class_scores(task, after, classes)
