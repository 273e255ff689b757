"""The baseline is its pyramid and a norm, nothing else."""

import torch

from saccade.backbones.cnn import Cnn
from saccade.backbones.conv import ConvFeatures
from saccade.shapes import Grid
from saccade.transformer.trace import Trace


def make_cnn() -> Cnn:
    return Cnn(features=ConvFeatures(3, embed_dim=16, patch_size=4, depth=1), embed_dim=16).eval()


def test_the_tokens_are_the_normalised_cells_of_the_last_map() -> None:
    cnn = make_cnn()
    images = torch.randn(2, 3, 8, 12)

    feature_map = cnn.features(images)
    mean = feature_map.mean(dim=1, keepdim=True)
    deviation = feature_map.var(dim=1, keepdim=True, unbiased=False).add(1e-6).sqrt()

    tokens = cnn(images)
    assert tokens.grid == Grid(1, 2, 3)
    assert tokens.num_prefix == 0
    torch.testing.assert_close(tokens.as_map(), (feature_map - mean) / deviation)


def test_there_is_no_attention_to_trace() -> None:
    trace = Trace()

    make_cnn()(torch.randn(1, 3, 8, 8), trace)

    assert trace.layers == []


def test_a_cell_sees_only_what_is_near() -> None:
    cnn = make_cnn()
    images = torch.randn(1, 3, 64, 64)
    touched = images.clone()
    touched[..., 60:, 60:] += 5

    changed = (cnn(touched).as_map() != cnn(images).as_map()).any(dim=1)[0]  # h w

    assert changed[15, 15]
    assert not changed[:8, :8].any()
