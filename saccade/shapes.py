"""The legend of dimension letters, one for the whole project; case matters.

| letter | meaning                        | letter | meaning                              |
|--------|--------------------------------|--------|--------------------------------------|
| B      | batch                          | N      | tokens in a sequence                 |
| T      | frames of a clip               | M      | context tokens (keys and values)     |
| C      | channels of a picture          | Q      | query tokens                         |
| H W    | height and width in pixels     | D      | embed_dim, the width of a token      |
| t h w  | the token grid                 | A      | attention heads                      |
| P      | patch side in pixels           | E      | head_dim (D = A * E)                 |
| K      | classes                        | L      | layers                               |

Annotations use these letters through jaxtyping (``Float[Tensor, "B N D"]``); the tests check
them at run time, and at all other times they cost nothing.
"""

from typing import NamedTuple


class Grid(NamedTuple):
    """How many tokens stand along time, height and width; a picture has ``t == 1``."""

    t: int
    h: int
    w: int

    @property
    def num_tokens(self) -> int:
        """The number of patch tokens of this grid."""
        return self.t * self.h * self.w
