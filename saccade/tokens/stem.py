"""A few convolutions in place of the one big patch embedding."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.patches import pad_to_multiple
from saccade.tokens.tokens import Tokens, from_map


class ConvStem(nn.Module):
    """Overlapping 3 x 3 convolutions with stride 2 down to the patch grid, then a 1 x 1 projection.

    Learns faster and more steadily than cutting patches, at about the same cost
    (arXiv 2106.14881). Channels double with each halving and end at ``embed_dim``.

    Raises:
        ValueError: the patch size is not a power of two (each convolution halves the picture).
    """

    def __init__(self, in_channels: int, *, patch_size: int, embed_dim: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.convs, channels = stem_convs(in_channels, patch_size=patch_size, embed_dim=embed_dim)
        self.project = nn.Conv2d(channels, embed_dim, 1)

    def forward(self, images: Float[Tensor, "B C H W"]) -> Tokens:
        """Embeds a picture on the grid that patches of the same size would have."""
        return from_map(self.project(self.convs(pad_to_multiple(images, self.patch_size))))


def stem_convs(in_channels: int, *, patch_size: int, embed_dim: int) -> tuple[nn.Sequential, int]:
    """The convolutions down to the patch grid, and how many channels they end with.

    Raises:
        ValueError: the patch size is not a power of two.
    """
    steps = num_halvings(patch_size)
    layers: list[nn.Module] = []
    channels = in_channels
    for step in range(steps):
        wider = max(embed_dim >> (steps - 1 - step), 16)
        layers += [
            nn.Conv2d(channels, wider, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(wider),
            nn.GELU(),
        ]
        channels = wider
    return nn.Sequential(*layers), channels


def num_halvings(patch_size: int) -> int:
    """How often a picture is halved to reach one cell per patch.

    Raises:
        ValueError: the patch size is not a power of two.
    """
    if not is_power_of_two(patch_size):
        raise ValueError(
            f"patch_size is {patch_size}; convolutions halve the picture, so it must be a power "
            "of two: 1, 2, 4, 8, 16, 32"
        )
    return int(math.log2(patch_size))


def is_power_of_two(patch_size: int) -> bool:
    """Whether convolutions that halve the picture can reach one cell per patch."""
    return patch_size >= 1 and patch_size & (patch_size - 1) == 0
