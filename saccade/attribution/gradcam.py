"""Grad-CAM on the last tokens: works on every backbone, the plain CNN too."""

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saccade.attribution.heat import as_grid, stretch
from saccade.tasks.classify import Classify


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
    """
    tokens = task.backbone(task.normalise(images).requires_grad_())
    scores = task.head(tokens).logits.gather(1, classes[:, None])  # B 1
    (gradient,) = torch.autograd.grad(scores.sum(), tokens.x)
    weights = gradient[:, tokens.num_prefix :].mean(dim=1, keepdim=True)  # B 1 D
    heat = (weights * tokens.patches).sum(dim=2).clamp(min=0)  # B n
    return stretch(as_grid(heat.detach().float(), tokens.grid))
