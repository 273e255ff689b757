"""The convolutional stem on clips: frame by frame, and some frames together at its end."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.patches import pad_to_multiple
from saccade.tokens.stem import stem_convs
from saccade.tokens.tokens import Tokens, from_map


class ClipStem(nn.Module):
    """The convolutions of ``ConvStem`` on each frame, then a projection over the frames of a token.

    With one frame in a token it is ``ConvStem``; a picture's stem becomes a clip's by spreading its
    projection over the frames (``saccade.run.inflate``).

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
        self.convs, channels = stem_convs(in_channels, patch_size=patch_size, embed_dim=embed_dim)
        cube = (tubelet_size, 1, 1)
        self.project = nn.Conv3d(channels, embed_dim, cube, stride=cube)

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
        frames = pad_to_multiple(clips.flatten(0, 1), self.patch_size)
        maps = self.convs(frames).unflatten(0, (batch, num_frames)).transpose(1, 2)  # B D T h w
        missing = -num_frames % self.tubelet_size
        if missing:
            maps = F.pad(maps, (0, 0, 0, 0, 0, missing), mode="replicate")
        return from_map(self.project(maps))
