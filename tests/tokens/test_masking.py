"""Visible patches are drawn fairly and kept whole; what is not visible is hidden."""

import pytest
import torch

from saccade.shapes import Grid
from saccade.tokens.masking import draw_visible, fill, is_hidden, keep
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.tokens import Tokens

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("hidden", "num_patches", "visible"), [(0.75, 64, 16), (0.5, 9, 4), (0.99, 8, 1), (0.01, 8, 7)]
)
def test_the_share_is_hidden_but_never_all_and_never_nothing(
    hidden: float, num_patches: int, visible: int
) -> None:
    places = draw_visible(5, num_patches, hidden=hidden, are_alike=False, device=CPU)

    assert places.shape == (5, visible)
    for row in places.tolist():
        assert row == sorted(set(row))
        assert 0 <= row[0] <= row[-1] < num_patches


def test_every_place_is_as_likely_and_pictures_differ() -> None:
    places = draw_visible(4000, 8, hidden=0.75, are_alike=False, device=CPU)

    shares = places.flatten().bincount(minlength=8) / 4000
    assert (shares - 0.25).abs().max() < 0.04
    alike = draw_visible(50, 8, hidden=0.75, are_alike=True, device=CPU)
    assert (alike == alike[0]).all()
    assert not (places == places[0]).all()


def test_a_generator_fixes_the_places_and_else_the_global_one_does() -> None:
    def drawn(generator: torch.Generator | None) -> torch.Tensor:
        return draw_visible(5, 16, hidden=0.5, are_alike=False, device=CPU, generator=generator)

    own = torch.Generator().manual_seed(3)
    torch.manual_seed(3)
    assert torch.equal(drawn(own), drawn(None))
    assert not torch.equal(drawn(None), drawn(own.manual_seed(3)))


def test_kept_tokens_are_the_ones_at_the_places_after_the_prefix() -> None:
    tokens = Tokens(x=torch.randn(2, 8, 4), grid=Grid(1, 2, 3), num_prefix=2)
    places = torch.tensor([[1, 4], [0, 5]])

    kept = keep(tokens, places)

    assert kept.num_prefix == 2
    assert torch.equal(kept.prefix, tokens.prefix)
    for b in range(2):
        for m in range(2):
            assert torch.equal(kept.patches[b, m], tokens.patches[b, places[b, m]])


def test_rotations_go_with_their_tokens() -> None:
    tokens = RotaryPosition(4, base=100.0)(
        Tokens(x=torch.randn(2, 6, 8), grid=Grid(1, 2, 3), num_prefix=0)
    )
    places = torch.tensor([[1, 4], [1, 4]])

    kept = keep(tokens, places)

    assert tokens.rotation is not None
    assert kept.rotation is not None
    assert torch.equal(kept.rotation, tokens.rotation[:, [1, 4]])
    with pytest.raises(AssertionError):
        keep(tokens, torch.tensor([[1, 4], [0, 4]]))


def test_hidden_is_what_is_not_visible_and_is_filled() -> None:
    hidden = is_hidden(torch.tensor([[1, 2], [0, 3]]), 4)
    assert hidden.tolist() == [[True, False, False, True], [False, True, True, False]]

    patches, drawn = torch.zeros(2, 4, 3), torch.ones(2, 4, 3)
    assert torch.equal(fill(patches, drawn, hidden)[:, :, 0].bool(), hidden)
