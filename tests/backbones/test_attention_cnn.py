"""Attention on a feature map is x + context, by dot product or cosine, linear or convolutional."""

from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from saccade.backbones.attention_cnn import AttentionCnn, MapAttention, RepeatedAttention
from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.shapes import Grid
from saccade.transformer.trace import Trace

Similarity = Literal["dot", "cosine"]
Projection = Literal["linear", "conv"]
SIMILARITIES: tuple[Similarity, ...] = ("dot", "cosine")
PROJECTIONS: tuple[Projection, ...] = ("linear", "conv")


def make_attention(similarity: Similarity, projection: Projection = "linear") -> MapAttention:
    attention = MapAttention(
        8, num_heads=2, similarity=similarity, projection=projection, path="fused"
    )
    return attention.eval()


def naive(attention: MapAttention, x: Tensor, *, scale: float, unit: bool) -> Tensor:
    """One picture, head by head and cell by cell."""
    qkv = attention.qkv(attention.norm(x))[0].flatten(1)  # 3D N
    context = torch.zeros(8, qkv.shape[1])
    for head in range(2):
        q, k, v = (qkv[8 * part + 4 * head : 8 * part + 4 * head + 4] for part in range(3))
        if unit:
            q, k = q / q.norm(dim=0), k / k.norm(dim=0)
        for n in range(q.shape[1]):
            weights = (scale * (q[:, n] @ k)).softmax(dim=0)
            context[4 * head : 4 * head + 4, n] = v @ weights
    return x + attention.proj(context.reshape(1, 8, *x.shape[2:]))


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_dot_product_attention_is_the_input_plus_the_context(projection: Projection) -> None:
    attention, x = make_attention("dot", projection), torch.randn(1, 8, 3, 4)

    torch.testing.assert_close(attention(x), naive(attention, x, scale=4**-0.5, unit=False))


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_cosine_attention_compares_unit_vectors_at_temperature_10(projection: Projection) -> None:
    attention, x = make_attention("cosine", projection), torch.randn(1, 8, 3, 4)

    torch.testing.assert_close(attention(x), naive(attention, x, scale=10.0, unit=True))


def test_the_cosine_does_not_mind_how_long_queries_and_keys_are() -> None:
    attention, x = make_attention("cosine"), torch.randn(1, 8, 3, 4)
    nn.init.zeros_(attention.get_parameter("qkv.0.bias"))
    before = attention(x)

    with torch.no_grad():
        attention.get_parameter("qkv.0.weight")[:16] *= 5

    torch.testing.assert_close(attention(x), before)


def test_the_scale_of_the_cosine_is_clamped_at_about_100() -> None:
    attention, x = make_attention("cosine"), torch.randn(1, 8, 3, 4)
    assert attention.log_temperature is not None
    nn.init.constant_(attention.log_temperature, 20.0)

    torch.testing.assert_close(attention(x), naive(attention, x, scale=99.484, unit=True))


def test_each_head_learns_its_own_temperature() -> None:
    attention, x = make_attention("cosine"), torch.randn(2, 8, 3, 4)

    attention(x).square().sum().backward()

    assert attention.log_temperature is not None
    assert attention.log_temperature.grad is not None
    assert attention.log_temperature.grad.flatten().unique().numel() == 2


def test_the_dot_product_has_no_temperature() -> None:
    assert make_attention("dot").log_temperature is None


def test_a_convolutional_projection_sees_the_neighbours_of_a_cell() -> None:
    x = torch.zeros(1, 8, 5, 5)
    touched = x.clone()
    touched[0, :, 2, 2] = 1.0

    reach = {
        projection: ((module := make_attention("dot", projection).qkv)(touched) != module(x))
        .any(dim=1)
        .sum()
        .item()
        for projection in PROJECTIONS
    }

    assert reach == {"linear": 1, "conv": 9}


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_tracing_a_map_changes_nothing(similarity: Similarity) -> None:
    attention, x, trace = make_attention(similarity), torch.randn(2, 8, 3, 4), Trace()

    torch.testing.assert_close(attention(x, trace), attention(x))

    (layer,) = trace.layers
    assert layer.attention.shape == (2, 2, 12, 12)
    assert layer.grid == Grid(1, 3, 4)
    assert layer.tokens is None


def test_repeated_attention_applies_one_after_the_other_and_none_is_the_identity() -> None:
    first, second, x = make_attention("dot"), make_attention("cosine"), torch.randn(1, 8, 3, 4)

    assert torch.equal(RepeatedAttention([first, second])(x), second(first(x)))
    assert torch.equal(RepeatedAttention()(x), x)


@pytest.mark.parametrize(
    ("patch_size", "sides"), [(1, [16, 16]), (2, [8, 8]), (4, [8, 8, 4, 4]), (8, [4, 4, 2, 2])]
)
def test_the_last_two_stages_attend_twice_each_and_no_earlier_one(
    patch_size: int, sides: list[int]
) -> None:
    config = model_config(f"attncnn-pico{patch_size}")
    model = build_backbone(config, in_channels=3, image_size=16).eval()
    trace = Trace()

    tokens = model(torch.randn(1, 3, 16, 16), trace)

    assert isinstance(model, AttentionCnn)
    assert tokens.grid == Grid(1, sides[-1], sides[-1])
    assert [layer.grid.h for layer in trace.layers] == sides


def test_heads_that_do_not_divide_the_channels_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"10 channels .* 3 heads"):
        MapAttention(10, num_heads=3, similarity="dot", projection="linear", path="auto")
