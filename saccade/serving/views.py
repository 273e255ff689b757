"""Looking at a picture several times, each time a little changed: test-time augmentation."""

from itertools import product
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from saccade.errors import UsageError

SHIFT = 1 / 32
"""How far a view is moved, as a share of the side: one pixel of 32, as airbench94 does when it is
tested, and seven of 224."""

_MOVES = ((0, 0), (1, 1), (-1, -1), (1, -1), (-1, 1), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Down and right: diagonals first, since they move the picture along both sides."""

Images = TypeVar("Images", bound=Tensor)


class View(NamedTuple):
    """One way to look at a picture.

    Attributes:
        is_mirrored: left and right are exchanged.
        down, right: how far the picture is moved, in steps of ``SHIFT`` (at least a pixel).
    """

    is_mirrored: bool
    down: int
    right: int


PLAIN = View(is_mirrored=False, down=0, right=0)
"""The picture as it is."""


def choose_views(count: int, *, has_mirror: bool) -> tuple[View, ...]:
    """The first so many views, the picture as it is before all others.

    Args:
        count: how many.
        has_mirror: whether mirror images belong to the same class.

    Raises:
        UsageError: there are not so many.
    """
    mirrors = (False, True) if has_mirror else (False,)
    views = [View(is_mirrored, *move) for move, is_mirrored in product(_MOVES, mirrors)]
    if not 1 <= count <= len(views):
        why = "" if has_mirror else " (this model learned without mirror images)"
        raise UsageError(f"--views is {count}; there are 1 to {len(views)} views{why}")
    return tuple(views[:count])


def look(images: Images, view: View) -> Images:
    """The pictures, or clips, of one view, as bytes; the border is reflected.

    Args:
        images: ``B C H W`` or ``B T C H W``.
        view: how to look at them.
    """
    height, width = images.shape[-2:]
    columns = _moved(width, view.right)
    if view.is_mirrored:
        columns = columns.flip(0)
    rows = _moved(height, view.down)
    return images[..., rows.to(images.device), :][..., columns.to(images.device)]  # pyrefly: ignore


def _moved(size: int, steps: int) -> Tensor:
    """For each row or column where it comes from."""
    by = steps * max(1, round(size * SHIFT))
    source = torch.arange(size) - by
    last = size - 1
    return (last - (last - source.abs()).abs()).clamp(0, last)  # reflected at both ends
