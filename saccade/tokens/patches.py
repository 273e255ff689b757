"""Pictures cut into patches: exactly, and as a linear embedding."""

import math

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.tokens import Tokens, from_map


def pad_to_multiple(images: Float[Tensor, "B C H W"], multiple: int) -> Float[Tensor, "B C H2 W2"]:
    """Zeros at the right and bottom until both sides are multiples of ``multiple``.

    The pictures are normalised, so a zero is the mean colour. This is what lets a backbone take
    pictures of any size and aspect.

    Raises:
        ValueError: clips were given, not pictures.
    """
    if images.ndim != 4:
        raise ValueError(
            f"the model reads pictures, B C H W; the input has the shape {list(images.shape)}. A "
            "model for clips has a tubelet_size above 1"
        )
    height, width = images.shape[2:]
    return F.pad(images, (0, -width % multiple, 0, -height % multiple))


def patchify(images: Float[Tensor, "B C H W"], patch_size: int) -> Float[Tensor, "B n CPP"]:
    """Cuts pictures into flat patches, row by row; inside a patch the order is (C, P, P).

    Raises:
        ValueError: a side is not a multiple of the patch.
    """
    _, _, height, width = images.shape
    if height % patch_size or width % patch_size:
        raise ValueError(
            f"pictures of {height} x {width} pixels cannot be cut into patches of {patch_size}; "
            "pad them first (pad_to_multiple)"
        )
    patches = images.unflatten(3, (-1, patch_size)).unflatten(2, (-1, patch_size))  # B C h P w P
    return patches.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def unpatchify(
    patches: Float[Tensor, "B n CPP"], *, patch_size: int, height: int, width: int
) -> Float[Tensor, "B C H W"]:
    """Puts the patches of ``patchify`` together again; the exact inverse."""
    grid = (height // patch_size, width // patch_size)
    pieces = patches.unflatten(2, (-1, patch_size, patch_size)).unflatten(1, grid)  # B h w C P P
    return pieces.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


class PatchEmbed(nn.Module):
    """One linear map per patch (arXiv 2010.11929), written as a convolution with stride P.

    The weight has the shape of a convolution (D, C, P, P), which is how other libraries store it.
    """

    def __init__(
        self, in_channels: int, *, patch_size: int, embed_dim: int, has_bias: bool = True
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.project = nn.Conv2d(
            in_channels, embed_dim, patch_size, stride=patch_size, bias=has_bias
        )
        # As a Linear of fan-in C * P * P would be; the default for convolutions is wider.
        nn.init.trunc_normal_(self.project.weight, std=1 / math.sqrt(in_channels * patch_size**2))

    def forward(self, images: Float[Tensor, "B C H W"]) -> Tokens:
        """Embeds each patch; pads a picture whose sides are not multiples of the patch."""
        return from_map(self.project(pad_to_multiple(images, self.patch_size)))
