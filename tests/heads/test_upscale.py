"""Upscale doubles the map of tokens where the patch allows, and looks at the pixels of a cell."""

import pytest
import torch

from saccade.heads.upscale import Upscale
from saccade.tokens.tokens import from_map


@pytest.mark.parametrize(("patch_size", "cell_size"), [(1, 1), (2, 1), (4, 1), (8, 2), (14, 7)])
def test_cells_are_a_quarter_of_a_patch_or_as_fine_as_it_can_be_halved(
    patch_size: int, cell_size: int
) -> None:
    upscale = Upscale(6, in_channels=3, patch_size=patch_size, width=5)
    tokens = from_map(torch.randn(2, 6, 2, 3))
    images = torch.randn(2, 3, 2 * patch_size, 3 * patch_size)

    found = upscale(tokens, images)

    factor = patch_size // cell_size
    assert upscale.cell_size == cell_size
    assert found.shape == (2, 5, 2 * factor, 3 * factor)


def test_pictures_are_padded_as_the_patches_were() -> None:
    upscale = Upscale(6, in_channels=1, patch_size=4, width=5).eval()
    tokens = from_map(torch.randn(1, 6, 2, 2))
    image = torch.randn(1, 1, 5, 7)
    padded = torch.zeros(1, 1, 8, 8)
    padded[:, :, :5, :7] = image

    torch.testing.assert_close(upscale(tokens, image), upscale(tokens, padded))


def test_a_cell_sees_the_pixels_below_it_and_those_of_its_neighbours_only() -> None:
    upscale = Upscale(6, in_channels=1, patch_size=4, width=5, num_doublings=1).eval()
    tokens = from_map(torch.randn(1, 6, 4, 4))
    image = torch.randn(1, 1, 16, 16)
    other = image.clone()
    other[:, :, 0, 0] += 1.0  # in cell (0, 0), whose sides are 2 pixels

    changed = (upscale(tokens, image) != upscale(tokens, other)).any(dim=1)[0]

    assert changed[:2, :2].all()
    assert not changed[2:].any()
    assert not changed[:, 2:].any()
