"""From one cell per patch to finer ones, with a look at the pixels on the way."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.patches import PatchEmbed, pad_to_multiple
from saccade.tokens.tokens import Tokens

MOST_DOUBLINGS = 2


class Upscale(nn.Module):
    """The tokens' map, doubled twice where the patch allows it.

    A token knows what is there, not where inside its patch. So after each doubling the picture is
    added, cut into patches of the new, smaller size: a skip from the raw pixels, one linear map.

    Args:
        embed_dim: the width D of the tokens.
        in_channels: of the pictures.
        patch_size: pixels a side of a token.
        width: channels of the finer map.
        num_doublings: at most; a patch of odd size cannot be halved.
    """

    def __init__(
        self,
        embed_dim: int,
        *,
        in_channels: int,
        patch_size: int,
        width: int,
        num_doublings: int = MOST_DOUBLINGS,
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.stages = nn.ModuleList()
        self.cell_size = patch_size
        channels = embed_dim
        while self.cell_size % 2 == 0 and len(self.stages) < num_doublings:
            self.cell_size //= 2
            self.stages.append(Doubling(channels, width, in_channels, cell_size=self.cell_size))
            channels = width
        if not self.stages:
            self.stages.append(nn.Conv2d(channels, width, 1))

    def forward(
        self, tokens: Tokens, images: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B width h2 w2"]:
        """The finer map of the padded pictures; a cell has ``cell_size`` pixels a side."""
        padded = pad_to_multiple(images, self.patch_size)
        x = tokens.as_map()  # B D h w
        for stage in self.stages:
            x = stage(x, padded) if isinstance(stage, Doubling) else stage(x)  # B width 2h 2w
        return x


class Doubling(nn.Module):
    """Each cell becomes four, which see the pixels below them and their neighbours.

    Args:
        in_width, out_width: channels before and after.
        in_channels: of the pictures.
        cell_size: pixels a side of a new cell.
    """

    def __init__(self, in_width: int, out_width: int, in_channels: int, *, cell_size: int) -> None:
        super().__init__()
        self.split = nn.Conv2d(in_width, 4 * out_width, 1)
        self.pixels = PatchEmbed(in_channels, patch_size=cell_size, embed_dim=out_width)
        self.mix = nn.Sequential(
            nn.BatchNorm2d(out_width),
            nn.GELU(),
            nn.Conv2d(out_width, out_width, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_width),
            nn.GELU(),
        )

    def forward(
        self, x: Float[Tensor, "B D h w"], padded: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B width h2 w2"]:
        """A map of twice the height and width."""
        finer = F.pixel_shuffle(self.split(x), 2)  # B width 2h 2w
        return self.mix(finer + self.pixels(padded).as_map())
