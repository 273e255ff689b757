"""Which class each pixel belongs to."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.heads.upscale import Upscale
from saccade.tokens.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class MapLogits:
    """What a semantic head returns.

    Attributes:
        logits: before the softmax, for each pixel of the picture.
        coarse: the same as the tokens alone see it, enlarged; what explanations read.
    """

    logits: Float[Tensor, "B K H W"]
    coarse: Float[Tensor, "B K H W"]


class LinearMapHead(nn.Module):
    """One linear map per token, enlarged bilinearly: how well the tokens themselves know.

    Batch norm before it, as DINOv3 probes dense features (arXiv 2508.10104).

    Args:
        embed_dim: the width D of the tokens.
        num_classes: K.
        patch_size: pixels a side of a token.
    """

    def __init__(self, embed_dim: int, *, num_classes: int, patch_size: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.norm = nn.BatchNorm2d(embed_dim)
        self.classify = zero_conv(embed_dim, num_classes)

    def forward(self, tokens: Tokens, images: Float[Tensor, "B C H W"]) -> MapLogits:
        """Logits of each pixel, whatever the picture's size."""
        logits = enlarge(self.on_tokens(tokens), self.patch_size, images)  # B K H W
        return MapLogits(logits=logits, coarse=logits)

    def on_tokens(self, tokens: Tokens) -> Float[Tensor, "B K h w"]:
        """Logits of each token."""
        return self.classify(self.norm(tokens.as_map()))


class UpsamplingHead(nn.Module):
    """A linear head, and on top of it what the pixels say about borders and thin things.

    The tokens' map is doubled twice with a skip from the pixels (``Upscale``), enlarged to full
    size and mixed once more with a convolution of the picture itself. Its logits are added to those
    of the linear head, which keeps its own meaning: it is trained too, and explanations read it.

    Args:
        embed_dim: the width D of the tokens.
        num_classes: K.
        in_channels: of the pictures.
        patch_size: pixels a side of a token.
        width: channels at full size; twice as many before.
    """

    def __init__(
        self,
        embed_dim: int,
        *,
        num_classes: int,
        in_channels: int,
        patch_size: int,
        width: int = 16,
    ) -> None:
        super().__init__()
        self.coarse = LinearMapHead(embed_dim, num_classes=num_classes, patch_size=patch_size)
        self.upscale = Upscale(
            embed_dim, in_channels=in_channels, patch_size=patch_size, width=2 * width
        )
        self.pixels = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.GELU(),
        )
        self.mix = nn.Sequential(
            nn.Conv2d(3 * width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.GELU(),
        )
        self.classify = zero_conv(width, num_classes)

    def forward(self, tokens: Tokens, images: Float[Tensor, "B C H W"]) -> MapLogits:
        """Logits of each pixel, whatever the picture's size."""
        coarse = self.coarse(tokens, images).logits  # B K H W
        map_ = self.upscale(tokens, images)  # B 2*width h2 w2
        fine = enlarge(map_, self.upscale.cell_size, images)  # B 2*width H W
        fine = self.mix(torch.cat([fine, self.pixels(images)], dim=1))  # B width H W
        return MapLogits(logits=coarse + self.classify(fine), coarse=coarse)

    def on_tokens(self, tokens: Tokens) -> Float[Tensor, "B K h w"]:
        """Logits of each token, before the pixels are asked."""
        return self.coarse.on_tokens(tokens)


SegmentHead = LinearMapHead | UpsamplingHead


def enlarge(
    map_: Float[Tensor, "B D h w"], cell_size: int, images: Float[Tensor, "B C H W"]
) -> Float[Tensor, "B D H W"]:
    """A map of padded pictures at their full size, bilinearly, without the padding.

    Args:
        map_: whose cells have ``cell_size`` pixels a side.
        cell_size: in pixels.
        images: the pictures, before padding.
    """
    height, width = images.shape[2:]
    if cell_size > 1:
        map_ = F.interpolate(map_, scale_factor=cell_size, mode="bilinear", align_corners=False)
    return map_[:, :, :height, :width]


def zero_conv(width: int, num_classes: int) -> nn.Conv2d:
    """A 1 x 1 map with zero logits at the start: every class is equally likely."""
    conv = nn.Conv2d(width, num_classes, 1)
    nn.init.zeros_(conv.weight)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv
