"""Positions follow their formula, tell cells apart, and fit any grid."""

import math

import pytest
import torch

from saccade.shapes import Grid
from saccade.tokens.positions import LearnedPosition, SinCosPosition, sincos

CPU = torch.device("cpu")


def naive_sincos(grid: Grid, embed_dim: int) -> list[list[float]]:
    quarter = embed_dim // 4
    rates = [10_000 ** -(i / quarter) for i in range(quarter)]
    return [
        [math.sin(row * rate) for rate in rates]
        + [math.cos(row * rate) for rate in rates]
        + [math.sin(column * rate) for rate in rates]
        + [math.cos(column * rate) for rate in rates]
        for row in range(grid.h)
        for column in range(grid.w)
    ]


def test_sincos_is_its_formula_cell_by_cell() -> None:
    grid = Grid(1, 3, 5)

    expected = torch.tensor(naive_sincos(grid, 16))

    torch.testing.assert_close(sincos(grid, 16, device=CPU), expected, rtol=0, atol=1e-6)


def test_every_cell_has_its_own_position() -> None:
    positions = sincos(Grid(1, 20, 20), 32, device=CPU)

    distances = torch.cdist(positions, positions) + 10 * torch.eye(400)

    assert distances.min() > 0.1


def test_neighbours_are_closer_than_far_cells() -> None:
    positions = sincos(Grid(1, 8, 8), 64, device=CPU).unflatten(0, (8, 8))
    here = positions[3, 3]

    for neighbour in (positions[2, 3], positions[4, 3], positions[3, 2], positions[3, 4]):
        assert torch.dist(here, neighbour) < torch.dist(here, positions[7, 7])


def test_a_cell_keeps_its_sincos_position_when_the_grid_grows() -> None:
    small = sincos(Grid(1, 3, 4), 16, device=CPU).unflatten(0, (3, 4))
    large = sincos(Grid(1, 6, 9), 16, device=CPU).unflatten(0, (6, 9))

    assert torch.equal(large[:3, :4], small)


def test_sincos_refuses_a_width_that_has_no_quarters() -> None:
    with pytest.raises(ValueError, match=r"embed_dim is 18.*multiple of 4"):
        sincos(Grid(1, 2, 2), 18, device=CPU)


def test_the_sincos_module_adds_the_table_to_every_picture_and_has_nothing_to_learn() -> None:
    position = SinCosPosition(16)
    patches = torch.randn(2, 6, 16)

    added = position(patches, Grid(1, 2, 3)) - patches

    table = sincos(Grid(1, 2, 3), 16, device=CPU).expand(2, -1, -1)
    torch.testing.assert_close(added, table, rtol=0, atol=1e-6)
    assert list(position.parameters()) == []


def test_positions_keep_the_precision_of_the_tokens() -> None:
    patches = torch.zeros(1, 6, 16, dtype=torch.bfloat16)

    assert SinCosPosition(16)(patches, Grid(1, 2, 3)).dtype == torch.bfloat16
    learned = LearnedPosition(16, grid=Grid(1, 2, 3))
    assert learned(patches, Grid(1, 2, 3)).dtype == torch.bfloat16


def test_learned_positions_on_their_own_grid_are_the_table_itself() -> None:
    position = LearnedPosition(8, grid=Grid(1, 2, 3))

    added = position(torch.zeros(2, 6, 8), Grid(1, 2, 3))

    for row in range(2):
        for column in range(3):
            expected = position.table[0, :, row, column].expand(2, -1)
            assert torch.equal(added[:, 3 * row + column], expected)


def test_learned_positions_of_a_flat_table_are_flat_on_every_grid() -> None:
    position = LearnedPosition(4, grid=Grid(1, 4, 4))
    torch.nn.init.constant_(position.table, 0.7)

    for grid in (Grid(1, 1, 1), Grid(1, 2, 9), Grid(1, 8, 8)):
        added = position(torch.zeros(1, grid.num_tokens, 4), grid)
        torch.testing.assert_close(added, torch.full_like(added, 0.7))


def test_learned_positions_resampled_to_a_finer_grid_keep_their_order() -> None:
    position = LearnedPosition(1, grid=Grid(1, 1, 4))
    with torch.no_grad():
        position.table.copy_(torch.tensor([0.0, 1.0, 2.0, 3.0]).reshape(1, 1, 1, 4))

    finer = position(torch.zeros(1, 8, 1), Grid(1, 1, 8)).flatten()

    assert (finer.diff() > 0).all()


def test_gradients_reach_the_table_through_resampling() -> None:
    position = LearnedPosition(4, grid=Grid(1, 4, 4))

    position(torch.zeros(1, 42, 4), Grid(1, 6, 7)).square().sum().backward()

    assert position.table.grad is not None
    assert position.table.grad.abs().min() > 0
