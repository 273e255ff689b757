"""Rotary positions turn pairs of channels, so that a score knows the distance of two patches."""

import math

import pytest
import torch
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.rotary import RotaryPosition, rotate
from saccade.tokens.tokens import Tokens


def turned(
    x: Tensor, grid: Grid, *, num_prefix: int = 0, base: float = 100.0, head_dim: int = 8
) -> Tensor:
    """Queries or keys ``B A N E`` as a layer would turn them."""
    tokens = Tokens(x=torch.zeros(1, x.shape[2], 4), grid=grid, num_prefix=num_prefix)
    rotation = RotaryPosition(head_dim, base=base)(tokens).rotation
    assert rotation is not None
    return rotate(x, rotation)


def naive(x: Tensor, grid: Grid, *, base: float) -> Tensor:
    """Patch by patch and pair by pair (DINOv3, arXiv 2508.10104).

    The first E/4 pairs turn with the row, the others with the column.
    """
    head_dim = x.shape[3]
    quarter, half = head_dim // 4, head_dim // 2
    out = torch.zeros_like(x)
    for t in range(grid.t):
        for row in range(grid.h):
            for column in range(grid.w):
                n = (t * grid.h + row) * grid.w + column
                y = 2 * (row + 0.5) / grid.h - 1
                z = 2 * (column + 0.5) / grid.w - 1
                for i in range(half):
                    coordinate = y if i < quarter else z
                    angle = 2 * math.pi * coordinate / base ** (4 * (i % quarter) / head_dim)
                    one, other = x[:, :, n, i], x[:, :, n, i + half]
                    out[:, :, n, i] = math.cos(angle) * one - math.sin(angle) * other
                    out[:, :, n, i + half] = math.sin(angle) * one + math.cos(angle) * other
    return out


GRIDS = [Grid(1, 3, 5), Grid(1, 1, 1), Grid(1, 14, 2), Grid(3, 2, 4)]
every_grid = pytest.mark.parametrize("grid", GRIDS)


@every_grid
@pytest.mark.parametrize(("head_dim", "base"), [(8, 100.0), (16, 10_000.0), (4, 7.0)])
def test_rotating_is_its_loop_pair_by_pair(grid: Grid, head_dim: int, base: float) -> None:
    x = torch.randn(2, 3, grid.num_tokens, head_dim)

    found = turned(x, grid, base=base, head_dim=head_dim)

    torch.testing.assert_close(found, naive(x, grid, base=base), rtol=1e-5, atol=1e-5)


@every_grid
def test_the_prefix_is_not_turned(grid: Grid) -> None:
    x = torch.randn(2, 3, 2 + grid.num_tokens, 8)

    found = turned(x, grid, num_prefix=2)

    assert torch.equal(found[:, :, :2], x[:, :, :2])
    torch.testing.assert_close(found[:, :, 2:], turned(x[:, :, 2:], grid))


@every_grid
def test_turning_keeps_the_length_of_a_vector(grid: Grid) -> None:
    x = torch.randn(2, 3, grid.num_tokens, 8)

    torch.testing.assert_close(turned(x, grid).norm(dim=3), x.norm(dim=3))


def test_a_score_depends_on_the_distance_of_two_patches_and_not_on_where_they_are() -> None:
    """The same query and the same key everywhere: the score is a function of the step between."""
    grid = Grid(1, 5, 6)
    q, k = (torch.randn(1, 1, 1, 8).expand(1, 1, 30, 8) for _ in range(2))

    scores = (turned(q, grid) @ turned(k, grid).transpose(2, 3)).reshape(5, 6, 5, 6)

    seen: dict[tuple[int, int], list[float]] = {}
    for row, column, other_row, other_column in torch.cartesian_prod(
        *(torch.arange(length) for length in (5, 6, 5, 6))
    ).tolist():
        step = (other_row - row, other_column - column)
        seen.setdefault(step, []).append(scores[row, column, other_row, other_column].item())
    assert len(seen) == 9 * 11
    for step, values in seen.items():
        assert values == pytest.approx([values[0]] * len(values), abs=1e-4), step
    means = torch.tensor([values[0] for values in seen.values()])
    assert means.unique().numel() > 90


def test_a_finer_grid_stands_between_the_same_corners() -> None:
    """Coordinates lie in [-1, 1] whatever the grid: the middle of 3 cells is the middle of 9."""
    x = torch.randn(1, 1, 1, 8)

    coarse = turned(x.expand(1, 1, 9, 8), Grid(1, 3, 3))
    fine = turned(x.expand(1, 1, 81, 8), Grid(1, 9, 9))

    torch.testing.assert_close(fine[:, :, 40], coarse[:, :, 4])
    torch.testing.assert_close(fine[:, :, 9 + 1], coarse[:, :, 0])


def test_every_frame_has_the_same_positions() -> None:
    x = torch.randn(1, 1, 6, 8)

    clip = turned(x.repeat(1, 1, 3, 1), Grid(3, 2, 3))

    torch.testing.assert_close(clip, turned(x, Grid(1, 2, 3)).repeat(1, 1, 3, 1))


def test_saying_where_a_patch_stands_leaves_the_tokens_as_they_are() -> None:
    tokens = Tokens(x=torch.randn(2, 1 + 6, 16), grid=Grid(1, 2, 3), num_prefix=1)

    told = RotaryPosition(8, base=100.0)(tokens)

    assert told.x is tokens.x
    assert (told.grid, told.num_prefix) == (tokens.grid, 1)
    assert told.rotation is not None
    assert told.rotation.shape == (2, 6, 8)
    assert list(RotaryPosition(8, base=100.0).parameters()) == []


def test_turning_keeps_the_precision_of_the_queries() -> None:
    x = torch.randn(2, 3, 6, 8)

    half = turned(x.bfloat16(), Grid(1, 2, 3))

    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), turned(x, Grid(1, 2, 3)), rtol=0.05, atol=0.05)


def test_a_head_that_two_axes_of_pairs_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match=r"head is 6 wide.*multiple of 4"):
        RotaryPosition(6, base=100.0)
