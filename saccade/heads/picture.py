"""From a denoiser's tokens to the pixels of their patches."""

from jaxtyping import Float
from torch import Tensor, nn

from saccade.tokens.patches import unpatchify
from saccade.tokens.tokens import Tokens
from saccade.transformer.modulate import Modulation, modulate


class PictureHead(nn.Module):
    """A norm that the condition shifts and scales, then one linear map per patch.

    It starts at zero, which is grey: the mean of pixels in [-1, 1].

    Args:
        embed_dim: the width D of the tokens.
        patch_size: P.
        out_channels: of the picture.
    """

    def __init__(self, embed_dim: int, *, patch_size: int, out_channels: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6, elementwise_affine=False)
        self.modulation = Modulation(embed_dim, num_parts=2)
        self.project = nn.Linear(embed_dim, out_channels * patch_size**2)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(
        self, tokens: Tokens, condition: Float[Tensor, "B D"], *, height: int, width: int
    ) -> Float[Tensor, "B C H W"]:
        """The picture of ``height`` x ``width`` pixels; what was padding is cut off."""
        shift, scale = self.modulation(condition)  # B 1 D
        patches = self.project(modulate(self.norm(tokens.x), shift=shift, scale=scale))  # B n CPP
        images = unpatchify(
            patches,
            patch_size=self.patch_size,
            height=tokens.grid.h * self.patch_size,
            width=tokens.grid.w * self.patch_size,
        )
        return images[:, :, :height, :width]
