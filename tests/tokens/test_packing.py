"""Packing loses nothing, keeps pictures apart, and fills batches without overfilling one."""

import random
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.packing import fill, pack
from saccade.tokens.rotary import RotaryPosition, rotate
from saccade.tokens.tokens import Tokens

GRIDS = (Grid(1, 2, 3), Grid(1, 5, 1), Grid(2, 2, 2))


def make_tokens(grid: Grid, *, batch: int = 1, num_prefix: int = 2) -> Tokens:
    x = torch.randn(batch, num_prefix + grid.num_tokens, 4)
    return Tokens(x=x, grid=grid, num_prefix=num_prefix)


def require_same(found: Tokens, expected: Tokens) -> None:
    assert torch.equal(found.x, expected.x)
    assert (found.grid, found.num_prefix) == (expected.grid, expected.num_prefix)
    if expected.rotation is None:
        assert found.rotation is None
    else:
        assert found.rotation is not None
        assert torch.equal(found.rotation, expected.rotation)


@pytest.mark.parametrize("num_prefix", [0, 1, 3])
@pytest.mark.parametrize("is_rotary", [False, True], ids=["still", "rotary"])
def test_pack_then_unpack_is_exact(num_prefix: int, is_rotary: bool) -> None:
    pictures = [make_tokens(grid, num_prefix=num_prefix) for grid in GRIDS]
    if is_rotary:
        pictures = [RotaryPosition(4, base=100.0)(picture) for picture in pictures]

    unpacked = pack(pictures).unpack()

    assert len(unpacked) == 3
    for found, expected in zip(unpacked, pictures, strict=True):
        require_same(found, expected)


def test_a_batch_is_packed_picture_by_picture() -> None:
    batch = RotaryPosition(4, base=100.0)(make_tokens(Grid(1, 2, 3), batch=3))

    first = RotaryPosition(4, base=100.0)(make_tokens(Grid(1, 1, 1)))

    unpacked = pack([first, batch]).unpack()[1:]

    assert len(unpacked) == 3
    for found, x in zip(unpacked, batch.x, strict=True):
        require_same(found, batch.with_x(x[None]))


def test_the_bounds_cut_the_sequence_into_its_pictures() -> None:
    pictures = [make_tokens(grid) for grid in GRIDS]

    packed = pack(pictures)

    assert packed.lengths == [8, 7, 10]
    assert packed.bounds.tolist() == [0, 8, 15, 25]
    for start, end, picture in zip(packed.bounds, packed.bounds[1:], pictures, strict=False):
        assert torch.equal(packed.x[:, start:end], picture.x)


def test_rotation_turns_each_packed_picture_as_it_would_be_turned_alone() -> None:
    position = RotaryPosition(4, base=100.0)
    pictures = [position(make_tokens(grid)) for grid in GRIDS]
    heads = [torch.randn(1, 3, 2 + grid.num_tokens, 4) for grid in GRIDS]  # 1 A n E
    packed = pack(pictures)
    assert packed.rotation is not None

    together = rotate(torch.cat(heads, dim=2), packed.rotation)

    alone = [rotate(x, required(picture)) for x, picture in zip(heads, pictures, strict=True)]
    torch.testing.assert_close(together, torch.cat(alone, dim=2))


def required(picture: Tokens) -> Tensor:
    assert picture.rotation is not None
    return picture.rotation


def test_gradients_reach_every_picture_through_pack_and_unpack() -> None:
    pictures = [make_tokens(grid) for grid in GRIDS]
    for picture in pictures:
        picture.x.requires_grad_()

    for factor, unpacked in enumerate(pack(pictures).unpack(), start=1):
        (factor * unpacked.x).sum().backward()

    for factor, picture in enumerate(pictures, start=1):
        assert picture.x.grad is not None
        assert torch.equal(picture.x.grad, torch.full_like(picture.x, factor))


def test_nothing_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="no picture to pack"):
        pack([])


def test_a_mask_cannot_be_packed() -> None:
    mask = torch.ones(1, 1, 1, 8, dtype=torch.bool)
    masked = replace(make_tokens(Grid(1, 2, 3)), attention_mask=mask)

    with pytest.raises(ValueError, match="attention_mask cannot be packed"):
        pack([make_tokens(Grid(1, 1, 1)), masked])


def naive_fill(lengths: list[int], max_tokens: int) -> list[list[int]]:
    """The loop of the docstring."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        room = [max_tokens - sum(lengths[i] for i in batch) for batch in batches]
        fitting = [b for b in range(len(batches)) if room[b] >= lengths[index]]
        if fitting:
            batches[min(fitting, key=lambda b: (room[b], b))].append(index)
        else:
            batches.append([index])
    return [sorted(batch) for batch in batches]


def random_lengths(seed: int) -> list[int]:
    generator = random.Random(seed)
    return [generator.randint(1, 100) for _ in range(generator.randint(1, 200))]


@pytest.mark.parametrize("seed", range(20))
def test_fill_is_its_naive_loop(seed: int) -> None:
    lengths = random_lengths(seed)

    assert fill(lengths, max_tokens=130) == naive_fill(lengths, 130)


@pytest.mark.parametrize("seed", range(20))
def test_every_picture_is_in_one_batch_and_no_batch_is_over_the_limit(seed: int) -> None:
    lengths = random_lengths(seed)

    batches = fill(lengths, max_tokens=100)

    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(batch == sorted(batch) for batch in batches)
    assert max(sum(lengths[index] for index in batch) for batch in batches) <= 100


def test_little_room_is_lost_where_pictures_are_many_and_small() -> None:
    lengths = random_lengths(3) * 10

    batches = fill(lengths, max_tokens=500)

    assert len(batches) <= 1.02 * sum(lengths) / 500 + 1


def test_pieces_that_fit_exactly_fill_the_batches_to_the_brim() -> None:
    assert fill([3, 7, 5, 5, 10, 2, 8], max_tokens=10) == [[4], [5, 6], [0, 1], [2, 3]]


def test_no_pictures_need_no_batches() -> None:
    assert fill([], max_tokens=10) == []


def test_a_picture_that_fits_nowhere_is_named_with_its_length_and_the_limit() -> None:
    with pytest.raises(ValueError, match=r"picture 2 has 12 tokens and a batch at most 10"):
        fill([3, 10, 12, 11], max_tokens=10)
