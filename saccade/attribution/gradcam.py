"""Grad-CAM on the last tokens: works on every backbone, the plain CNN too."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.attribution.heat import as_grid, stretch
from saccade.attribution.layers import Images, last_block, scores_of
from saccade.backbones.vit import Vit
from saccade.errors import UsageError
from saccade.tasks.task import Explained
from saccade.tokens.tokens import Tokens


@torch.enable_grad()
def gradcam(
    task: Explained, images: Images, classes: Int64[Tensor, " B"]
) -> Float[Tensor, "B ..."]:
    """Last tokens weighted by the mean gradient of the class score (arXiv 1610.02391).

    Args:
        task: in evaluation mode; its weights need no gradient.
        images: pictures or clips.
        classes: the class to explain, for each picture.

    Returns:
        Heat on the patch grid, 0 to 1 in each picture or clip.

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
    task: Explained, images: Images, classes: Int64[Tensor, " B"]
) -> tuple[Tokens, Float[Tensor, " B"]]:
    """The last tokens whose patches still reach the score, and the score."""
    if task.reads == "mean":
        with torch.no_grad():
            final = task.backbone(task.normalise(images))
        final = final.with_x(final.x.detach().requires_grad_())
        return final, task.score(final, classes)
    # A class token has read the patches by then; they speak last as the input of the last block.
    assert isinstance(task.backbone, Vit)
    if len(task.backbone.blocks) < 2:
        raise UsageError("Grad-CAM needs two blocks under a class token; use --method legrad")
    before, _, after = last_block(task, images)
    return before, scores_of(task, after, classes)
