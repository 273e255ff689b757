"""The convolutional pyramid halves its map and doubles its width until a cell is a patch."""

import pytest
import torch

from saccade.backbones.conv import ConvEmbed, ConvFeatures, ConvNormAct, ResidualConv
from saccade.shapes import Grid
from saccade.tokens.patches import pad_to_multiple


def test_the_widths_double_with_each_halving() -> None:
    features = ConvFeatures(3, embed_dim=128, patch_size=4, depth=1)

    assert features.widths == (64, 128)
    assert [features.stem[0].out_channels, *features.widths] == [32, 64, 128]


def test_narrow_models_keep_16_channels_but_end_at_the_width_asked_for() -> None:
    assert ConvFeatures(3, embed_dim=8, patch_size=8, depth=0).widths == (16, 16, 8)


@pytest.mark.parametrize("patch_size", [1, 2, 4, 8])
def test_every_stage_has_its_width(patch_size: int) -> None:
    """Who hangs something on each stage, as attention_cnn does, reads both lists side by side."""
    features = ConvFeatures(1, embed_dim=24, patch_size=patch_size, depth=1)

    x = features.stem(torch.randn(2, 1, 16, 16))
    seen = []
    for stage in features.stages:
        x = stage(x)
        seen.append(x.shape[1])

    assert tuple(seen) == features.widths
    assert x.shape == (2, 24, 16 // patch_size, 16 // patch_size)


def test_a_ragged_picture_is_padded_first() -> None:
    features = ConvFeatures(3, embed_dim=16, patch_size=4, depth=1).eval()
    images = torch.randn(2, 3, 9, 13)

    assert features(images).shape == (2, 16, 3, 4)
    assert torch.equal(features(images), features(pad_to_multiple(images, 4)))


def test_a_residual_convolution_adds_to_its_input() -> None:
    residual = ResidualConv(4).eval()
    x = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(residual(x) - x, residual.conv(x))

    torch.nn.init.zeros_(residual.get_parameter("conv.0.weight"))

    assert torch.equal(residual(x), x)


def test_pooling_halves_the_map() -> None:
    x = torch.randn(2, 3, 8, 6)

    assert ConvNormAct(3, 5, pool=2).eval()(x).shape == (2, 5, 4, 3)
    assert ConvNormAct(3, 5).eval()(x).shape == (2, 5, 8, 6)


def test_depth_counts_the_convolutions_after_each_halving() -> None:
    for depth in (0, 3):
        features = ConvFeatures(3, embed_dim=32, patch_size=4, depth=depth)
        sizes = [len(list(stage.children())) for stage in features.stages]
        assert sizes == [1 + depth, 1 + depth]


def test_an_embedding_is_the_last_map_as_tokens() -> None:
    features = ConvFeatures(3, embed_dim=16, patch_size=4, depth=1).eval()
    embed, images = ConvEmbed(features), torch.randn(2, 3, 9, 13)

    tokens = embed(images)

    assert embed.patch_size == 4
    assert (tokens.grid, tokens.num_prefix) == (Grid(1, 3, 4), 0)
    assert torch.equal(tokens.as_map(), features(images))


def test_a_patch_that_cannot_be_reached_by_halving_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two"):
        ConvFeatures(3, embed_dim=16, patch_size=6, depth=1)
