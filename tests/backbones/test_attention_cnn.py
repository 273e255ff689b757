"""Attention on a feature map is x + context, by dot product or cosine, linear or convolutional."""

import pytest
import torch
from torch import Tensor, nn

from saccade.backbones.attention_cnn import AttentionCnn, MapAttention, RepeatedAttention
from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.config.model import Projection, Similarity
from saccade.shapes import Grid
from saccade.tokens.tokens import from_map
from saccade.transformer.attention import SelfAttention
from saccade.transformer.trace import Trace

SIMILARITIES: tuple[Similarity, ...] = ("dot", "cosine")
PROJECTIONS: tuple[Projection, ...] = ("linear", "conv")


def make_attention(similarity: Similarity, projection: Projection = "linear") -> MapAttention:
    attention = SelfAttention(
        8, num_heads=2, path="fused", similarity=similarity, projection=projection
    )
    return MapAttention(attention, channels=8).eval()


def as_convolutions(attention: SelfAttention) -> nn.Sequential:
    """The projection as it would be written for maps: 1 x 1, then perhaps depthwise 3 x 3."""
    pointwise = nn.Conv2d(8, 24, 1)
    with torch.no_grad():
        pointwise.weight.copy_(attention.qkv.weight[:, :, None, None])
        pointwise.get_parameter("bias").copy_(attention.qkv.bias)
    return nn.Sequential(pointwise, attention.mix.conv if attention.mix else nn.Identity())


@torch.no_grad()
def naive(module: MapAttention, x: Tensor, *, scale: float, unit: bool) -> Tensor:
    """One picture, head by head and cell by cell."""
    qkv = as_convolutions(module.attention)(module.norm(x))[0].flatten(1)  # 3D N
    context = torch.zeros(8, qkv.shape[1])
    for head in range(2):
        q, k, v = (qkv[8 * part + 4 * head : 8 * part + 4 * head + 4] for part in range(3))
        if unit:
            q, k = q / q.norm(dim=0), k / k.norm(dim=0)
        for n in range(q.shape[1]):
            weights = (scale * (q[:, n] @ k)).softmax(dim=0)
            context[4 * head : 4 * head + 4, n] = v @ weights
    return x + module.attention.proj(context.T).T.reshape(x.shape)


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_dot_product_attention_is_the_input_plus_the_context(projection: Projection) -> None:
    attention, x = make_attention("dot", projection), torch.randn(1, 8, 3, 4)

    torch.testing.assert_close(attention(x), naive(attention, x, scale=4**-0.5, unit=False))


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_cosine_attention_compares_unit_vectors_at_temperature_10(projection: Projection) -> None:
    attention, x = make_attention("cosine", projection), torch.randn(1, 8, 3, 4)

    torch.testing.assert_close(attention(x), naive(attention, x, scale=10.0, unit=True))


def test_a_convolutional_projection_sees_the_neighbours_of_a_cell() -> None:
    x = torch.zeros(1, 8, 5, 5)
    touched = x.clone()
    touched[0, :, 2, 2] = 1.0

    reach = {}
    for projection in PROJECTIONS:
        attention = make_attention("dot", projection).attention
        before, after = (attention.queries_keys_values(from_map(m)) for m in (x, touched))
        changed = torch.stack(before) != torch.stack(after)  # 3 B A N E
        reach[projection] = changed.any(dim=4).flatten(0, 2).any(dim=0).sum().item()

    assert reach == {"linear": 1, "conv": 9}


def test_the_map_is_normalised_channel_by_channel_before_it_is_looked_at() -> None:
    module, x = make_attention("dot"), 3 + 2 * torch.randn(4, 8, 3, 4)
    cells: list[Tensor] = []
    module.attention.register_forward_pre_hook(lambda _, given: cells.append(given[0].x))

    module.train()(x)

    torch.testing.assert_close(cells[0].mean(dim=(0, 1)), torch.zeros(8), rtol=0, atol=1e-5)
    deviation = cells[0].std(dim=(0, 1), unbiased=False)
    torch.testing.assert_close(deviation, torch.ones(8), rtol=0, atol=1e-4)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_tracing_a_map_changes_nothing(similarity: Similarity) -> None:
    attention, x, trace = make_attention(similarity), torch.randn(2, 8, 3, 4), Trace()

    assert torch.equal(attention(x, trace), attention(x))

    (layer,) = trace.layers
    assert layer.attention().shape == (2, 2, 12, 12)
    assert (layer.grid, layer.num_prefix) == (Grid(1, 3, 4), 0)
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
    model = build_backbone(config, in_channels=3).eval()
    trace = Trace()

    tokens = model(torch.randn(1, 3, 16, 16), trace)

    assert isinstance(model, AttentionCnn)
    assert tokens.grid == Grid(1, sides[-1], sides[-1])
    assert [layer.grid.h for layer in trace.layers] == sides
