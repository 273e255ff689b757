"""Clips cut into tubelets: patches that last for some frames."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.tokens import Tokens, from_map


class TubeletEmbed(nn.Module):
    """One linear map per tubelet (arXiv 2103.15691), written as a convolution with its stride.

    Args:
        in_channels: of a frame.
        patch_size: pixels a side.
        tubelet_size: frames.
        embed_dim: the width D.
    """

    def __init__(
        self, in_channels: int, *, patch_size: int, tubelet_size: int, embed_dim: int
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.tubelet_size = tubelet_size
        cube = (tubelet_size, patch_size, patch_size)
        self.project = nn.Conv3d(in_channels, embed_dim, cube, stride=cube)
        fan_in = in_channels * tubelet_size * patch_size**2
        nn.init.trunc_normal_(self.project.weight, std=fan_in**-0.5)

    def forward(self, clips: Float[Tensor, "B T C H W"]) -> Tokens:
        """Embeds each tubelet; pads with zeros, the mean colour, at the end of each axis.

        Raises:
            ValueError: pictures were given, not clips.
        """
        if clips.ndim != 5:
            raise ValueError(
                f"the model reads clips of {self.tubelet_size} or more frames, B T C H W; the "
                f"input has the shape {list(clips.shape)}"
            )
        frames, _, height, width = clips.shape[1:]
        missing = (-width % self.patch_size, -height % self.patch_size, -frames % self.tubelet_size)
        padded = F.pad(
            clips.transpose(1, 2), (0, missing[0], 0, missing[1], 0, missing[2])
        )  # B C T H W
        return from_map(self.project(padded))
