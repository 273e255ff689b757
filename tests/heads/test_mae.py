"""The decoder puts each visible token in its place, and a mask token everywhere else."""

import pytest
import torch
from torch import Tensor

from saccade.heads.mae import PatchDecoder
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens

GRID = Grid(1, 2, 3)


@pytest.fixture
def decoder() -> PatchDecoder:
    return PatchDecoder(8, decoder_dim=16, depth=1, num_heads=2, patch_dim=12).eval()


def visible(x: Tensor, *, num_prefix: int = 0) -> Tokens:
    return Tokens(x=x, grid=Grid(1, 1, x.shape[1] - num_prefix), num_prefix=num_prefix)


def test_every_patch_is_drawn_with_or_without_a_prefix(decoder: PatchDecoder) -> None:
    places = torch.tensor([[0, 4], [1, 2]])

    plain = decoder(visible(torch.randn(2, 2, 8)), places, GRID)
    with_prefix = decoder(visible(torch.randn(2, 3, 8), num_prefix=1), places, GRID)

    assert plain.shape == with_prefix.shape == (2, 6, 12)


def test_tokens_stand_where_they_were_and_not_in_the_order_they_came(
    decoder: PatchDecoder,
) -> None:
    x, places = torch.randn(1, 3, 8), torch.tensor([[0, 2, 5]])
    turned = torch.tensor([2, 0, 1])

    first = decoder(visible(x), places, GRID)
    second = decoder(visible(x[:, turned]), places[:, turned], GRID)
    elsewhere = decoder(visible(x), torch.tensor([[0, 2, 4]]), GRID)

    torch.testing.assert_close(first, second)
    assert not torch.allclose(first, elsewhere, atol=1e-3)


def test_hidden_patches_start_from_the_mask_token_and_their_place(decoder: PatchDecoder) -> None:
    """Built by hand, token by token."""
    x, places = torch.randn(1, 2, 8), torch.tensor([[1, 3]])
    narrow = decoder.narrow(x)[0]
    row = [decoder.mask_token[0, 0]] * 6
    row[1], row[3] = narrow[0], narrow[1]
    tokens = Tokens(x=torch.stack(row)[None], grid=GRID, num_prefix=0)
    expected = decoder.draw(decoder.norm(decoder.blocks(decoder.position(tokens)).x))

    torch.testing.assert_close(decoder(visible(x), places, GRID), expected)
