"""The stem of clips is that of pictures, on the frames of a token put one behind the other."""

import inspect

import pytest
import torch

from saccade.shapes import Grid
from saccade.tokens.clip_stem import ClipStem
from saccade.tokens.stem import ConvStem
from saccade.tokens.tubelets import TubeletEmbed


def make_stem(*, tubelet_size: int = 2, patch_size: int = 4) -> ClipStem:
    return ClipStem(3, patch_size=patch_size, tubelet_size=tubelet_size, embed_dim=16).eval()


@pytest.mark.parametrize("shape", [(4, 16, 24), (3, 17, 5), (1, 8, 8)])
@pytest.mark.parametrize("patch_size", [1, 4])
def test_the_stem_has_the_grid_of_tubelets(shape: tuple[int, int, int], patch_size: int) -> None:
    clips = torch.randn(2, shape[0], 3, *shape[1:])
    tubelets = TubeletEmbed(3, patch_size=patch_size, tubelet_size=2, embed_dim=16)
    tokens = make_stem(patch_size=patch_size)(clips)
    assert tokens.grid == tubelets(clips).grid
    assert tokens.x.shape == tubelets(clips).x.shape


def test_the_frames_of_a_token_are_the_channels_of_one_picture() -> None:
    stem, clips = make_stem(), torch.randn(2, 4, 3, 8, 12)
    of_pictures = ConvStem(6, patch_size=4, embed_dim=16).eval()
    of_pictures.load_state_dict(stem.state_dict())
    pairs = [torch.cat([clips[:, t], clips[:, t + 1]], dim=1) for t in (0, 2)]
    expected = torch.cat([of_pictures(pair).x for pair in pairs], dim=1)
    tokens = stem(clips)
    assert tokens.grid == Grid(2, 2, 3)
    torch.testing.assert_close(tokens.x, expected, rtol=1e-4, atol=1e-5)


def test_with_one_frame_in_a_token_it_is_the_stem_of_pictures() -> None:
    stem, of_pictures = make_stem(tubelet_size=1), ConvStem(3, patch_size=4, embed_dim=16).eval()
    of_pictures.load_state_dict(stem.state_dict())
    clips = torch.randn(2, 3, 3, 8, 8)
    expected = torch.cat([of_pictures(clips[:, t]).x for t in range(3)], dim=1)
    torch.testing.assert_close(stem(clips).x, expected, rtol=1e-4, atol=1e-5)


def test_the_last_frame_goes_on_where_one_is_missing() -> None:
    stem, clips = make_stem(), torch.randn(1, 3, 3, 8, 8)
    longer = torch.cat([clips, clips[:, -1:]], dim=1)
    torch.testing.assert_close(stem(clips).x, stem(longer).x)


def test_pictures_are_refused_with_the_shape_that_was_given() -> None:
    with pytest.raises(ValueError, match=r"clips of 2 or more frames.*\[2, 3, 8, 8\]"):
        inspect.unwrap(ClipStem.forward)(make_stem(), torch.randn(2, 3, 8, 8))


def test_a_patch_that_halving_does_not_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two"):
        make_stem(patch_size=6)
