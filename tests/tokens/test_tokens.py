"""A sequence knows its grid: prefix and patches come apart, maps come back exactly."""

import pytest
import torch

from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens, from_map


def test_a_feature_map_comes_back_exactly() -> None:
    feature_map = torch.randn(2, 5, 3, 4)

    tokens = from_map(feature_map)

    assert tokens.grid == Grid(1, 3, 4)
    assert tokens.num_prefix == 0
    assert torch.equal(tokens.as_map(), feature_map)


def test_tokens_of_a_map_lie_densely_in_memory() -> None:
    assert from_map(torch.zeros(2, 5, 4, 3)).x.is_contiguous()
    assert from_map(torch.zeros(2, 5, 4, 3).to(memory_format=torch.channels_last)).x.is_contiguous()


def test_a_map_of_a_clip_keeps_its_frames_in_order() -> None:
    feature_map = torch.randn(2, 5, 2, 3, 4)

    tokens = from_map(feature_map)

    assert tokens.grid == Grid(2, 3, 4)
    assert torch.equal(tokens.patches[:, 12 + 4 * 2 + 1], feature_map[:, :, 1, 2, 1])
    assert torch.equal(tokens.x.transpose(1, 2).unflatten(2, (2, 3, 4)), feature_map)


def test_patches_are_in_row_major_order() -> None:
    feature_map = torch.randn(1, 5, 3, 4)

    tokens = from_map(feature_map)

    assert torch.equal(tokens.patches[0, 4 * 2 + 1], feature_map[0, :, 2, 1])


def test_prefix_and_patches_share_the_sequence_between_them() -> None:
    x = torch.randn(2, 3 + 6, 5)
    tokens = Tokens(x=x, grid=Grid(1, 2, 3), num_prefix=3)

    assert torch.equal(tokens.prefix, x[:, :3])
    assert torch.equal(tokens.patches, x[:, 3:])
    assert torch.equal(torch.cat([tokens.prefix, tokens.patches], dim=1), x)


def test_the_map_leaves_the_prefix_out() -> None:
    x = torch.randn(2, 1 + 6, 5)

    feature_map = Tokens(x=x, grid=Grid(1, 2, 3), num_prefix=1).as_map()

    assert torch.equal(feature_map[:, :, 1, 0], x[:, 1 + 3])


def test_a_length_that_does_not_fit_the_grid_is_caught() -> None:
    with pytest.raises(AssertionError):
        Tokens(x=torch.zeros(1, 7, 5), grid=Grid(1, 2, 3), num_prefix=0)


def test_other_vectors_may_have_another_width_but_stand_on_the_same_grid() -> None:
    tokens = Tokens(x=torch.zeros(2, 7, 5), grid=Grid(1, 2, 3), num_prefix=1)

    wider = tokens.with_x(torch.ones(2, 7, 9))

    assert (wider.grid, wider.num_prefix) == (tokens.grid, tokens.num_prefix)
    assert wider.x.shape == (2, 7, 9)
    assert not tokens.x.any()


def test_other_vectors_keep_rotation_and_mask() -> None:
    rotation, mask = torch.randn(2, 6, 4), torch.ones(1, 1, 7, 7, dtype=torch.bool)
    tokens = Tokens(
        x=torch.zeros(2, 7, 5),
        grid=Grid(1, 2, 3),
        num_prefix=1,
        rotation=rotation,
        attention_mask=mask,
    )

    other = tokens.with_x(torch.ones(2, 7, 5))

    assert other.rotation is rotation
    assert other.attention_mask is mask
    assert from_map(torch.zeros(1, 5, 2, 3)).rotation is None
    assert from_map(torch.zeros(1, 5, 2, 3)).attention_mask is None


def test_a_map_of_several_frames_is_refused() -> None:
    tokens = Tokens(x=torch.zeros(1, 12, 5), grid=Grid(2, 2, 3), num_prefix=0)

    with pytest.raises(AssertionError):
        tokens.as_map()
