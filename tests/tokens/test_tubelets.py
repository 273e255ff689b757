"""A tubelet is one matrix on a block of pixels that lasts for some frames."""

import inspect

import pytest
import torch
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.tubelets import TubeletEmbed


def make_embed(*, tubelet_size: int = 2) -> TubeletEmbed:
    return TubeletEmbed(3, patch_size=4, tubelet_size=tubelet_size, embed_dim=10)


def naive(embed: TubeletEmbed, clips: Tensor) -> Tensor:
    """Block by block, in the order t, h, w; inside a block (C, T, P, P)."""
    size = embed.tubelet_size
    matrix = embed.project.weight.flatten(1)  # D CTPP
    rows = []
    for t in range(0, clips.shape[1], size):
        for y in range(0, clips.shape[3], 4):
            for x in range(0, clips.shape[4], 4):
                block = clips[:, t : t + size, :, y : y + 4, x : x + 4].transpose(1, 2)  # B C T P P
                rows.append(block.flatten(1) @ matrix.T + embed.get_parameter("project.bias"))
    return torch.stack(rows, dim=1)


@pytest.mark.parametrize("tubelet_size", [2, 3])
def test_tubelet_embed_is_one_matrix_on_each_flat_tubelet(tubelet_size: int) -> None:
    embed = make_embed(tubelet_size=tubelet_size)
    clips = torch.randn(2, 2 * tubelet_size, 3, 8, 12)

    tokens = embed(clips)

    assert (tokens.grid, tokens.num_prefix) == (Grid(2, 2, 3), 0)
    torch.testing.assert_close(tokens.x, naive(embed, clips), rtol=1e-4, atol=1e-5)


def test_a_ragged_clip_is_padded_with_zeros_at_the_end_of_each_axis() -> None:
    embed, clips = make_embed(), torch.randn(2, 3, 3, 7, 9)
    padded = torch.zeros(2, 4, 3, 8, 12)
    padded[:, :3, :, :7, :9] = clips

    assert embed(clips).grid == Grid(2, 2, 3)
    torch.testing.assert_close(embed(clips).x, embed(padded).x)


def test_a_tubelet_of_one_frame_is_a_patch() -> None:
    tubelets, patches = make_embed(tubelet_size=1), PatchEmbed(3, patch_size=4, embed_dim=10)
    with torch.no_grad():
        patches.project.weight.copy_(tubelets.project.weight[:, :, 0])
        patches.get_parameter("project.bias").copy_(tubelets.get_parameter("project.bias"))
    images = torch.randn(2, 3, 8, 8)

    torch.testing.assert_close(tubelets(images[:, None]).x, patches(images).x)


def test_fresh_tubelet_embeddings_keep_the_variance_of_the_pixels() -> None:
    embed = TubeletEmbed(3, patch_size=8, tubelet_size=2, embed_dim=256)

    assert 0.6 < embed(torch.randn(4, 4, 3, 32, 32)).x.var().item() < 1.5


def test_pictures_are_refused_with_what_is_expected() -> None:
    """Outside the tests nobody checks annotations, so the function says it itself."""
    unchecked = inspect.unwrap(TubeletEmbed.forward)

    with pytest.raises(ValueError, match=r"clips of 2 or more frames, B T C H W.*\[2, 3, 8, 8\]"):
        unchecked(make_embed(), torch.zeros(2, 3, 8, 8))
