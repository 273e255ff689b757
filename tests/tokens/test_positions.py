"""Positions follow their formula, tell cells apart, fit any grid, and leave the prefix alone."""

import math

import pytest
import torch
from torch import Tensor, nn

from saccade.shapes import Grid
from saccade.tokens.positions import LearnedPosition, SinCosPosition, resample, sincos
from saccade.tokens.tokens import Tokens

CPU = torch.device("cpu")


def naive_sincos(grid: Grid, embed_dim: int, *, num_axes: int) -> Tensor:
    """Cell by cell: for each axis the sines, then the cosines; zeros in what is left over."""
    share = embed_dim // (2 * num_axes)
    rates = [10_000 ** -(i / share) for i in range(share)]
    rows = []
    for t in range(grid.t):
        for row in range(grid.h):
            for column in range(grid.w):
                cell: list[float] = []
                for coordinate in (t, row, column)[3 - num_axes :]:
                    cell += [math.sin(coordinate * rate) for rate in rates]
                    cell += [math.cos(coordinate * rate) for rate in rates]
                rows.append(cell + [0.0] * (embed_dim - len(cell)))
    return torch.tensor(rows)


def empty_tokens(grid: Grid, embed_dim: int, *, num_prefix: int = 0) -> Tokens:
    x = torch.zeros(2, num_prefix + grid.num_tokens, embed_dim)
    return Tokens(x=x, grid=grid, num_prefix=num_prefix)


@pytest.mark.parametrize("grid", [Grid(1, 3, 5), Grid(1, 1, 1), Grid(2, 3, 2)])
@pytest.mark.parametrize("num_axes", [2, 3])
@pytest.mark.parametrize("embed_dim", [12, 16, 22])
def test_sincos_is_its_formula_cell_by_cell(grid: Grid, num_axes: int, embed_dim: int) -> None:
    found = sincos(grid, embed_dim, num_axes=num_axes, device=CPU)

    expected = naive_sincos(grid, embed_dim, num_axes=num_axes)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("num_axes", "left_over"), [(2, 2), (3, 4)])
def test_channels_that_the_axes_cannot_share_evenly_stay_zero(
    num_axes: int, left_over: int
) -> None:
    table = sincos(Grid(2, 3, 4), 22, num_axes=num_axes, device=CPU)

    assert not table[:, -left_over:].any()
    assert table[:, : 22 - left_over].any(dim=0).all()


def test_every_cell_has_its_own_position() -> None:
    positions = sincos(Grid(1, 20, 20), 32, num_axes=2, device=CPU)

    distances = torch.cdist(positions, positions) + 10 * torch.eye(400)

    assert distances.min() > 0.1


def test_neighbours_are_closer_than_far_cells() -> None:
    positions = sincos(Grid(1, 8, 8), 64, num_axes=2, device=CPU).unflatten(0, (8, 8))
    here = positions[3, 3]

    for neighbour in (positions[2, 3], positions[4, 3], positions[3, 2], positions[3, 4]):
        assert torch.dist(here, neighbour) < torch.dist(here, positions[7, 7])


def test_a_cell_keeps_its_sincos_position_when_the_grid_grows() -> None:
    small = sincos(Grid(1, 3, 4), 16, num_axes=2, device=CPU).unflatten(0, (3, 4))
    large = sincos(Grid(1, 6, 9), 16, num_axes=2, device=CPU).unflatten(0, (6, 9))

    assert torch.equal(large[:3, :4], small)


@pytest.mark.parametrize(("num_axes", "embed_dim", "needed"), [(2, 3, 4), (3, 5, 6)])
def test_a_width_without_room_for_a_wave_per_axis_is_refused_when_building(
    num_axes: int, embed_dim: int, needed: int
) -> None:
    with pytest.raises(ValueError, match=rf"embed_dim is {embed_dim};.*at least {needed}"):
        SinCosPosition(embed_dim, num_axes=num_axes)


def test_the_sincos_module_adds_the_table_to_every_picture_and_has_nothing_to_learn() -> None:
    position, grid = SinCosPosition(16), Grid(1, 2, 3)
    x = torch.randn(2, 6, 16)

    added = position(Tokens(x=x, grid=grid, num_prefix=0)).x - x

    table = sincos(grid, 16, num_axes=2, device=CPU).expand(2, -1, -1)
    torch.testing.assert_close(added, table, rtol=0, atol=1e-6)
    assert list(position.parameters()) == []


@pytest.mark.parametrize(
    "position", [SinCosPosition(16), LearnedPosition(16, grid=Grid(1, 2, 2))], ids=["fixed", "own"]
)
def test_positions_do_not_touch_the_prefix(position: SinCosPosition | LearnedPosition) -> None:
    grid = Grid(1, 2, 3)

    with_prefix = position(empty_tokens(grid, 16, num_prefix=3))

    assert not with_prefix.prefix.any()
    assert torch.equal(with_prefix.patches, position(empty_tokens(grid, 16)).x)


def test_positions_keep_the_precision_of_the_tokens() -> None:
    tokens = empty_tokens(Grid(1, 2, 3), 16, num_prefix=1)
    half = tokens.with_x(tokens.x.bfloat16())
    learned = LearnedPosition(16, grid=Grid(1, 4, 4), num_prefix_positions=1)

    assert SinCosPosition(16)(half).x.dtype == torch.bfloat16
    assert learned(half).x.dtype == torch.bfloat16


def test_learned_positions_on_their_own_grid_are_the_table_itself() -> None:
    position = LearnedPosition(8, grid=Grid(2, 2, 3))

    added = position(empty_tokens(Grid(2, 2, 3), 8)).x

    assert position.table.shape == (1, 12, 8)
    assert torch.equal(added, position.table.expand(2, -1, -1))


def test_some_of_the_prefix_tokens_may_have_a_position_whatever_the_grid() -> None:
    position = LearnedPosition(8, grid=Grid(1, 2, 3), num_prefix_positions=2)
    assert position.prefix is not None
    nn.init.normal_(position.prefix)

    for grid in (Grid(1, 2, 3), Grid(1, 5, 4)):
        added = position(empty_tokens(grid, 8, num_prefix=3))
        assert torch.equal(added.prefix[:, :2], position.prefix.expand(2, -1, -1))
        assert not added.prefix[:, 2:].any()
        patches = resample(position.table, Grid(1, 2, 3), grid).expand(2, -1, -1)
        assert torch.equal(added.patches, patches)


def test_prefix_positions_start_at_zero_and_learn() -> None:
    position = LearnedPosition(8, grid=Grid(1, 2, 3), num_prefix_positions=1)
    assert position.prefix is not None
    assert not position.prefix.any()

    (position(empty_tokens(Grid(1, 2, 3), 8, num_prefix=1)).x - 1).square().sum().backward()

    assert position.prefix.grad is not None
    assert position.prefix.grad.all()


@pytest.mark.parametrize("grid", [Grid(0, 4, 4), Grid(1, 0, 4), Grid(1, 4, -1)])
def test_a_grid_without_cells_is_refused(grid: Grid) -> None:
    with pytest.raises(ValueError, match=rf"\({grid.t}, {grid.h}, {grid.w}\).*at least one cell"):
        LearnedPosition(8, grid=grid)


def test_learned_positions_of_a_flat_table_are_flat_on_every_grid() -> None:
    position = LearnedPosition(4, grid=Grid(2, 4, 4))
    nn.init.constant_(position.table, 0.7)

    for grid in (Grid(1, 1, 1), Grid(1, 2, 9), Grid(2, 8, 8), Grid(5, 3, 4)):
        added = position(empty_tokens(grid, 4)).x
        torch.testing.assert_close(added, torch.full_like(added, 0.7))


def test_resampling_to_the_same_grid_is_the_same_tensor() -> None:
    table = torch.randn(1, 12, 4)

    assert resample(table, Grid(2, 2, 3), Grid(2, 2, 3)) is table


def naive_cubic(row: Tensor, new: int, *, antialias: bool) -> Tensor:
    """One row at other places: the samples around each, weighed by the cubic of Keys.

    With antialiasing a = -1/2, the kernel grows where the row shrinks, and what lies outside is
    left out; without it a = -3/4, always four samples, and the outermost ones go on for ever.
    """
    a = -0.5 if antialias else -0.75
    stretch = max(len(row) / new, 1.0) if antialias else 1.0

    def weight(x: float) -> float:
        x = abs(x) / stretch
        if x < 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0

    found = []
    for i in range(new):
        centre = (i + 0.5) * len(row) / new - 0.5
        near = range(math.floor(centre - 2 * stretch), math.ceil(centre + 2 * stretch) + 1)
        weights = {j: weight(j - centre) for j in near if not antialias or 0 <= j < len(row)}
        values = {j: row[min(max(j, 0), len(row) - 1)].item() for j in weights}
        total = sum(weights[j] * values[j] for j in weights)
        found.append(total / sum(weights.values()))
    return torch.tensor(found)


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("new", [Grid(1, 6, 9), Grid(1, 3, 8), Grid(1, 5, 4), Grid(1, 2, 3)])
def test_resampling_is_cubic_along_rows_and_then_along_columns(new: Grid, antialias: bool) -> None:
    old = Grid(1, 3, 4)
    table = torch.randn(old.h, old.w)

    wide = torch.stack([naive_cubic(row, new.w, antialias=antialias) for row in table])
    columns = [naive_cubic(column, new.h, antialias=antialias) for column in wide.T]

    found = resample(table.reshape(1, 12, 1), old, new, antialias=antialias)
    expected = torch.stack(columns).T.reshape(1, -1, 1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_module_resamples_with_the_kernel_it_was_told() -> None:
    old, new = Grid(1, 3, 4), Grid(1, 6, 9)
    for antialias in (True, False):
        position = LearnedPosition(4, grid=old, antialias=antialias)
        nn.init.normal_(position.table)
        expected = resample(position.table, old, new, antialias=antialias)
        assert torch.equal(position(empty_tokens(new, 4)).x, expected.expand(2, -1, -1))
        assert not torch.allclose(
            expected, resample(position.table, old, new, antialias=not antialias)
        )


def test_each_channel_is_resampled_alone() -> None:
    table, old, new = torch.randn(1, 24, 5), Grid(2, 3, 4), Grid(3, 5, 4)

    together = resample(table, old, new)

    for d in range(5):
        alone = resample(table[..., d : d + 1], old, new)
        torch.testing.assert_close(alone, together[..., d : d + 1])


def test_in_time_resampling_is_linear_between_the_middles_of_the_frames() -> None:
    moments = torch.tensor([0.0, 10.0])[:, None] + torch.arange(6.0)  # t h*w

    found = resample(moments.reshape(1, 12, 1), Grid(2, 2, 3), Grid(4, 2, 3)).reshape(4, 6)

    expected = torch.tensor([0.0, 2.5, 7.5, 10.0])[:, None] + torch.arange(6.0)
    torch.testing.assert_close(found, expected)


def test_gradients_reach_the_table_through_resampling() -> None:
    position = LearnedPosition(4, grid=Grid(2, 4, 4))

    position(empty_tokens(Grid(3, 6, 7), 4)).x.square().sum().backward()

    assert position.table.grad is not None
    assert position.table.grad.abs().min() > 0
