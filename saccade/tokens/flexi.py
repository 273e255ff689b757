"""Another patch size for weights that are trained already (FlexiViT, arXiv 2212.08013)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def resize_patches(
    weight: Float[Tensor, "*D P P"], *, patch_size: int
) -> Float[Tensor, "*D P2 P2"]:
    """The weights of a patch embedding for patches of another size.

    They are chosen so that a resized patch is embedded as the patch was before: with ``B`` the
    matrix that resizes a patch x, ``<B x, new>`` is as close to ``<x, old>`` as it can be on
    average over all patches. That is ``new = pinv(B^T) old``, and exact for every patch when
    patches grow. (Resizing the weights like a picture would change their sum, and so the size of
    every embedding.)

    Bilinear resizing works on rows and columns in turn, so the pseudo-inverse of its large matrix
    is that of a small one, applied to rows and columns in turn.

    Args:
        weight: (D, C, P, P), or (D, C, T, P, P) for tubelets, whose frames stay.
        patch_size: the new side in pixels.

    Raises:
        ValueError: the new size is below 1.
    """
    if patch_size < 1:
        raise ValueError(f"patch_size is {patch_size}; a patch has at least 1 pixel a side")
    if patch_size == weight.shape[-1]:
        return weight
    back = torch.linalg.pinv(_resizing(weight.shape[-1], patch_size).T)  # P2 P
    return (back @ weight.double() @ back.T).to(weight.dtype)


def _resizing(old: int, new: int) -> Float[Tensor, "P2 P"]:
    """The matrix that resizes a line of pixels, with antialiasing as for pictures."""
    lines = torch.eye(old, dtype=torch.float64)[None, None]  # each row a line with one lit pixel
    return F.interpolate(
        lines, size=(old, new), mode="bilinear", align_corners=False, antialias=True
    )[0, 0].T
