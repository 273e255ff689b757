"""The convolutional parts that cnn, attention_cnn and rag share."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.patches import pad_to_multiple
from saccade.tokens.stem import num_halvings
from saccade.tokens.tokens import Tokens, from_map


class ConvNormAct(nn.Sequential):
    """A 3 x 3 convolution, batch norm, GELU; ``pool`` halves the picture by a maximum of 2 x 2."""

    def __init__(self, in_channels: int, out_channels: int, *, pool: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.MaxPool2d(pool) if pool > 1 else nn.Identity(),
            nn.BatchNorm2d(out_channels),
            nn.GELU(),
        )


class ResidualConv(nn.Module):
    """``x + f(x)`` with one convolution in f."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = ConvNormAct(channels, channels)

    def forward(self, x: Float[Tensor, "B D h w"]) -> Float[Tensor, "B D h w"]:
        """Adds the convolved map to the map."""
        return x + self.conv(x)


class ConvFeatures(nn.Module):
    """A pyramid: one convolution at full size, then stages that halve the map and double its width.

    The last stage has ``embed_dim`` channels and one cell per ``patch_size`` pixels; with
    ``patch_size`` 4 and ``embed_dim`` 128 the widths are 32, 64, 128.

    Args:
        in_channels: of the picture.
        embed_dim: channels of the last stage.
        patch_size: pixels per cell of the last map, a power of two.
        depth: residual convolutions after each halving.
    """

    def __init__(self, in_channels: int, *, embed_dim: int, patch_size: int, depth: int) -> None:
        super().__init__()
        halvings = num_halvings(patch_size)
        widths = [max(embed_dim >> (halvings - level), 16) for level in range(halvings + 1)]
        widths[-1] = embed_dim
        self.patch_size = patch_size
        self.stem = ConvNormAct(in_channels, widths[0])
        self.stages = nn.ModuleList(
            nn.Sequential(
                ConvNormAct(narrow, wide, pool=2), *(ResidualConv(wide) for _ in range(depth))
            )
            for narrow, wide in pairwise(widths)
        )
        self.widths = tuple(widths[1:])
        if not self.widths:
            # A cell per pixel: nothing to halve, but the residual convolutions are still there.
            self.stages.append(nn.Sequential(*(ResidualConv(embed_dim) for _ in range(depth))))
            self.widths = (embed_dim,)

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """The last feature map."""
        x = self.stem(pad_to_multiple(images, self.patch_size))  # B D0 H W
        for stage in self.stages:
            x = stage(x)  # B 2*D0 H/2 W/2, ...
        return x


class ConvEmbed(nn.Module):
    """The pyramid in place of patches: a transformer on the features of a CNN (a hybrid).

    Args:
        features: the pyramid.
    """

    def __init__(self, features: ConvFeatures) -> None:
        super().__init__()
        self.features = features
        self.patch_size = features.patch_size

    def forward(self, images: Float[Tensor, "B C H W"]) -> Tokens:
        """The last feature map as tokens."""
        return from_map(self.features(images))
