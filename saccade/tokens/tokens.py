"""The border between backbones and heads: a sequence that still knows its grid."""

from dataclasses import dataclass, replace

from jaxtyping import Bool, Float
from torch import Tensor

from saccade.shapes import Grid


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What every backbone returns, the convolutional ones too, so that every head works on each.

    Attributes:
        x: the tokens; the first ``num_prefix`` are class and register tokens, the others are
            patches in row-major order (t, then h, then w).
        grid: how many patch tokens stand along each axis.
        num_prefix: how many tokens come before the patches.
        rotation: with rotary positions, the cosine and sine by which attention turns the queries
            and keys of the patches.
        attention_mask: True where a token (row) may look at another (column); None: everywhere.
    """

    x: Float[Tensor, "B N D"]
    grid: Grid
    num_prefix: int
    rotation: Float[Tensor, "2 n E"] | None = None
    attention_mask: Bool[Tensor, "#B 1 #N N"] | None = None

    def __post_init__(self) -> None:
        assert self.x.shape[1] == self.num_prefix + self.grid.num_tokens

    @property
    def prefix(self) -> Float[Tensor, "B R D"]:
        """The class and register tokens (R = num_prefix)."""
        return self.x[:, : self.num_prefix]

    @property
    def patches(self) -> Float[Tensor, "B n D"]:
        """The patch tokens (n = t * h * w)."""
        return self.x[:, self.num_prefix :]

    def as_map(self) -> Float[Tensor, "B D h w"]:
        """The patch tokens as a feature map of one frame."""
        assert self.grid.t == 1
        return self.patches.transpose(1, 2).unflatten(2, (self.grid.h, self.grid.w))

    def with_x(self, x: Float[Tensor, "B N D2"]) -> "Tokens":
        """The same grid with other vectors in it."""
        return replace(self, x=x)


def from_map(
    feature_map: Float[Tensor, "B D h w"] | Float[Tensor, "B D t h w"],
) -> Tokens:
    """A feature map, of a picture or of a clip, as tokens without prefix."""
    *time, height, width = feature_map.shape[2:]
    grid = Grid(time[0] if time else 1, height, width)
    # Every block adds to it and normalises it; on a CPU strided memory takes twice as long.
    x = feature_map.flatten(2).transpose(1, 2).contiguous()
    return Tokens(x=x, grid=grid, num_prefix=0)
