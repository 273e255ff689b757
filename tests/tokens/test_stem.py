"""The convolutional stem lands on the grid that patches of the same size would have."""

import pytest
import torch

from saccade.tokens.patches import PatchEmbed
from saccade.tokens.stem import ConvStem, is_power_of_two, num_halvings


@pytest.mark.parametrize("patch_size", [1, 2, 4, 8])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (40, 57), (1, 3)])
def test_the_stem_has_the_grid_of_the_patches(patch_size: int, height: int, width: int) -> None:
    images = torch.randn(2, 3, height, width)
    stem = ConvStem(3, patch_size=patch_size, embed_dim=24).eval()
    patches = PatchEmbed(3, patch_size=patch_size, embed_dim=24)

    tokens = stem(images)
    assert tokens.grid == patches(images).grid
    assert tokens.x.shape == patches(images).x.shape


def test_neighbouring_cells_of_the_stem_share_pixels() -> None:
    stem = ConvStem(1, patch_size=4, embed_dim=8).eval()
    images = torch.zeros(1, 1, 16, 16)
    touched = images.clone()
    touched[0, 0, 7, 7] = 1.0  # the last pixel of cell (1, 1)

    changed = (stem(touched).as_map() != stem(images).as_map()).any(dim=1)[0]  # h w

    assert changed[1, 1]
    assert changed[2, 2]
    assert not changed[0, 0]


@pytest.mark.parametrize(("patch_size", "halvings"), [(1, 0), (2, 1), (4, 2), (32, 5)])
def test_a_power_of_two_is_reached_by_halving(patch_size: int, halvings: int) -> None:
    assert num_halvings(patch_size) == halvings


@pytest.mark.parametrize("patch_size", [-2, 0, 3, 12])
def test_other_patch_sizes_are_refused_with_what_is_possible(patch_size: int) -> None:
    with pytest.raises(ValueError, match=rf"patch_size is {patch_size};.*power of two: 1, 2, 4"):
        ConvStem(3, patch_size=patch_size, embed_dim=16)


def test_powers_of_two_are_told_from_other_numbers() -> None:
    assert [n for n in range(-2, 20) if is_power_of_two(n)] == [1, 2, 4, 8, 16]
