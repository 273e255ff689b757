"""Patches are cut and put together without loss; the embedding is one matrix on each patch."""

import pytest
import torch

from saccade.shapes import Grid
from saccade.tokens.patches import PatchEmbed, pad_to_multiple, patchify, unpatchify


@pytest.mark.parametrize(
    ("channels", "height", "width", "patch_size"), [(3, 8, 12, 4), (1, 6, 3, 3), (2, 5, 7, 1)]
)
def test_unpatchify_undoes_patchify_exactly(
    channels: int, height: int, width: int, patch_size: int
) -> None:
    images = torch.randn(2, channels, height, width)

    patches = patchify(images, patch_size)
    again = unpatchify(patches, patch_size=patch_size, height=height, width=width)

    assert torch.equal(again, images)


def test_patches_stand_row_by_row_and_hold_channel_row_column() -> None:
    images = torch.randn(2, 3, 4, 6)

    patches = patchify(images, 2)

    assert patches.shape == (2, 6, 12)
    for row in range(2):
        for column in range(3):
            square = images[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            assert torch.equal(patches[:, 3 * row + column], square.flatten(1))


def test_patchify_refuses_a_side_that_is_not_a_multiple_and_names_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"8 x 10 pixels .* patches of 4.*pad_to_multiple"):
        patchify(torch.zeros(1, 3, 8, 10), 4)


def test_padding_leaves_multiples_alone() -> None:
    images = torch.randn(2, 3, 8, 12)

    assert torch.equal(pad_to_multiple(images, 4), images)


@pytest.mark.parametrize(("height", "width"), [(7, 12), (8, 9), (1, 1), (5, 6)])
def test_padding_adds_the_fewest_zeros_at_the_right_and_bottom(height: int, width: int) -> None:
    images = torch.randn(2, 1, height, width)

    padded = pad_to_multiple(images, 4)

    assert padded.shape[2] in range(height, height + 4)
    assert padded.shape[3] in range(width, width + 4)
    assert padded.shape[2] % 4 == padded.shape[3] % 4 == 0
    assert torch.equal(padded[:, :, :height, :width], images)
    assert not padded[:, :, height:].any()
    assert not padded[:, :, :, width:].any()


def test_patch_embed_is_one_matrix_on_each_flat_patch() -> None:
    embed = PatchEmbed(3, patch_size=4, embed_dim=10)
    images = torch.randn(2, 3, 8, 12)

    matrix = embed.project.weight.flatten(1).T  # CPP D
    expected = patchify(images, 4) @ matrix + embed.get_parameter("project.bias")

    tokens = embed(images)
    assert (tokens.grid, tokens.num_prefix) == (Grid(1, 2, 3), 0)
    torch.testing.assert_close(tokens.x, expected)


def test_patch_embed_may_do_without_a_bias() -> None:
    embed = PatchEmbed(3, patch_size=4, embed_dim=10, has_bias=False)

    assert [name for name, _ in embed.named_parameters()] == ["project.weight"]
    assert not embed(torch.zeros(1, 3, 8, 8)).x.any()


def test_patch_embed_treats_a_ragged_picture_as_its_padded_one() -> None:
    embed = PatchEmbed(3, patch_size=4, embed_dim=10)
    images = torch.randn(2, 3, 7, 9)

    tokens, padded = embed(images), embed(pad_to_multiple(images, 4))

    assert torch.equal(tokens.x, padded.x)
    assert tokens.grid == padded.grid == Grid(1, 2, 3)


@pytest.mark.parametrize(("channels", "patch_size"), [(1, 4), (3, 16)])
def test_fresh_patch_embeddings_keep_the_variance_of_the_pixels(
    channels: int, patch_size: int
) -> None:
    embed = PatchEmbed(channels, patch_size=patch_size, embed_dim=256)

    variance = embed(torch.randn(8, channels, 4 * patch_size, 4 * patch_size)).x.var()

    assert 0.6 < variance.item() < 1.5
