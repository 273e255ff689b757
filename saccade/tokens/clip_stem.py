"""The convolutional stem on clips: the frames of a token go in together."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.patches import pad_to_multiple
from saccade.tokens.stem import stem_convs
from saccade.tokens.tokens import Tokens, from_map


class ClipStem(nn.Module):
    """``ConvStem`` on the frames of a token as if they were more channels of one picture.

    The first convolution sees what changes from one frame to the next, and all that follow run once
    for a token and not once for a frame. With one frame in a token it is ``ConvStem``; a picture's
    stem becomes a clip's by spreading its first kernel over the frames (``saccade.run.inflate``).

    Args:
        in_channels: of a frame.
        patch_size: pixels a side, a power of two.
        tubelet_size: frames.
        embed_dim: the width D.

    Raises:
        ValueError: the patch size is not a power of two (each convolution halves the picture).
    """

    def __init__(
        self, in_channels: int, *, patch_size: int, tubelet_size: int, embed_dim: int
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.tubelet_size = tubelet_size
        self.convs, channels = stem_convs(
            tubelet_size * in_channels, patch_size=patch_size, embed_dim=embed_dim
        )
        self.project = nn.Conv2d(channels, embed_dim, 1)

    def forward(self, clips: Float[Tensor, "B T C H W"]) -> Tokens:
        """Embeds each tubelet; the last frame goes on where frames are missing at the end.

        Raises:
            ValueError: pictures were given, not clips.
        """
        if clips.ndim != 5:
            raise ValueError(
                f"the model reads clips of {self.tubelet_size} or more frames, B T C H W; the "
                f"input has the shape {list(clips.shape)}"
            )
        batch, num_frames = clips.shape[:2]
        missing = -num_frames % self.tubelet_size
        clips = torch.cat([clips, clips[:, -1:].expand(-1, missing, -1, -1, -1)], dim=1)
        stacked = clips.flatten(1, 2).unflatten(1, (-1, self.tubelet_size * clips.shape[2]))
        pictures = pad_to_multiple(stacked.flatten(0, 1), self.patch_size)  # B*t T2*C H W
        maps = self.project(self.convs(pictures))  # B*t D h w
        return from_map(maps.unflatten(0, (batch, -1)).transpose(1, 2))
