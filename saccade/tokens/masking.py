"""Which patches are shown, and taking the tokens of those alone."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens


def draw_visible(
    num_pictures: int,
    num_patches: int,
    *,
    hidden: float,
    are_alike: bool,
    device: torch.device,
    generator: torch.Generator | None = None,
) -> Int64[Tensor, "B m"]:
    """Draws which patches of each picture stay visible, in the order of the grid.

    Args:
        num_pictures: B.
        num_patches: of a picture.
        hidden: the share that is taken away; at least one patch stays, and one goes.
        are_alike: whether all pictures show the same places.
        device: where the answer is wanted.
        generator: on the CPU; None: torch's global one.
    """
    num_visible = min(max(1, round(num_patches * (1 - hidden))), num_patches - 1)
    rows = 1 if are_alike else num_pictures
    order = torch.rand(rows, num_patches, generator=generator).argsort(dim=1)
    places = order[:, :num_visible].sort(dim=1).values
    return places.expand(num_pictures, -1).to(device)


def keep(tokens: Tokens, places: Int64[Tensor, "B m"]) -> Tokens:
    """The prefix and the patches at these places, as a row: they have no grid any more.

    Args:
        tokens: with their positions added. Where positions turn them instead (``rotation``), all
            pictures must keep the same places.
        places: of the patches in the grid, from ``draw_visible``.
    """
    assert tokens.attention_mask is None
    index = places[..., None].expand(-1, -1, tokens.x.shape[2])
    x = torch.cat([tokens.prefix, tokens.patches.gather(1, index)], dim=1)
    rotation = tokens.rotation
    if rotation is not None:
        assert (places == places[:1]).all()
        rotation = rotation[:, places[0]]
    return replace(tokens, x=x, grid=Grid(1, 1, places.shape[1]), rotation=rotation)


def is_hidden(places: Int64[Tensor, "B m"], num_patches: int) -> Bool[Tensor, "B n"]:
    """True for each patch that is not among the visible."""
    hidden = torch.ones(len(places), num_patches, dtype=torch.bool, device=places.device)
    return hidden.scatter_(1, places, False)  # noqa: FBT003


def fill(
    patches: Float[Tensor, "B n CPP"], drawn: Float[Tensor, "B n CPP"], hidden: Bool[Tensor, "B n"]
) -> Float[Tensor, "B n CPP"]:
    """The drawn patches where they were hidden, and the true ones elsewhere."""
    return torch.where(hidden[..., None], drawn, patches)
