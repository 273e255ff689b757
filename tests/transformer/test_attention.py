"""Self-attention is its formula head by head, whatever makes the queries, keys and scores."""

import math
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

from saccade.shapes import Grid
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import CosineTemperature, DepthwiseMix, SelfAttention
from saccade.transformer.trace import Trace

Path = Literal["fused", "explicit"]
both_paths = pytest.mark.parametrize("path", ["fused", "explicit"])

# Each way to make scores, with what the constructor is told.
KINDS: dict[str, dict[str, Any]] = {
    "dot": {},
    "cosine": {"similarity": "cosine"},
    "qk norm": {"has_qk_norm": True},
    "conv": {"projection": "conv"},
    "all": {"similarity": "cosine", "has_qk_norm": True, "projection": "conv", "has_bias": False},
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@pytest.fixture
def tokens() -> Tokens:
    """One class token and 2 x 3 patches, 12 wide."""
    return Tokens(x=torch.randn(2, 1 + 6, 12), grid=Grid(1, 2, 3), num_prefix=1)


def make_attention(path: Path = "fused", **kind: Any) -> SelfAttention:
    """Three heads of four channels; norms and temperatures away from their start."""
    attention = SelfAttention(12, num_heads=3, path=path, **kind)
    for name, parameter in attention.named_parameters():
        if "_norm" in name:
            nn.init.normal_(parameter, mean=1.0, std=0.3)
        if "log_factor" in name:
            nn.init.uniform_(parameter, 0.0, 2.0)
    return attention


def naive(attention: SelfAttention, tokens: Tokens) -> Tensor:
    """Picture by picture and head by head, from the formulas."""
    out = torch.zeros_like(tokens.x)
    qkv = attention.qkv(tokens.x)
    if attention.mix is not None:
        qkv = naive_mix(attention.mix, tokens.with_x(qkv))
    for b in range(len(out)):
        for a in range(3):
            q, k, v = (qkv[b, :, 12 * part + 4 * a : 12 * part + 4 * a + 4] for part in range(3))
            if attention.q_norm is not None and attention.k_norm is not None:
                q, k = naive_norm(attention.q_norm, q), naive_norm(attention.k_norm, k)
            if attention.temperature is None:
                scores = q @ k.T / math.sqrt(4)
            else:
                q, k = (x / x.square().sum(dim=1, keepdim=True).sqrt() for x in (q, k))
                scores = q @ k.T * attention.temperature.log_factor[a, 0, 0].exp()
            out[b, :, 4 * a : 4 * a + 4] = scores.softmax(dim=1) @ v
    return attention.proj(out)


def naive_norm(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    centred = x - x.mean(dim=1, keepdim=True)
    return centred / (centred.square().mean(dim=1, keepdim=True) + 1e-6).sqrt() * norm.weight + (
        norm.bias
    )


def naive_mix(mix: DepthwiseMix, tokens: Tokens) -> Tensor:
    """Each channel of each patch: nine weights times the nine patches around it, zeros outside."""
    grid, weight = tokens.grid, mix.conv.weight[:, 0]  # D 3 3
    assert mix.conv.bias is not None
    old = tokens.patches.unflatten(1, tuple(grid))
    new = mix.conv.bias.expand_as(old).clone()  # B t h w D
    for t in range(grid.t):
        for row in range(grid.h):
            for column in range(grid.w):
                for dy in (-1, 0, 1):
                    for dx in (-1, 0, 1):
                        if 0 <= row + dy < grid.h and 0 <= column + dx < grid.w:
                            neighbour = old[:, t, row + dy, column + dx]
                            new[:, t, row, column] += weight[:, dy + 1, dx + 1] * neighbour
    return torch.cat([tokens.prefix, new.flatten(1, 3)], dim=1)


@both_paths
@every_kind
@torch.no_grad()
def test_each_head_attends_in_its_own_slice_of_the_width(
    kind: dict[str, Any], path: Path, tokens: Tokens
) -> None:
    attention = make_attention(path, **kind)

    torch.testing.assert_close(attention(tokens), naive(attention, tokens))


@every_kind
def test_both_paths_give_the_same_gradients(kind: dict[str, Any], tokens: Tokens) -> None:
    attention = make_attention(**kind)
    found = []
    for attention.path in ("fused", "explicit"):
        loss = attention(tokens).square().sum()
        found.append(torch.autograd.grad(loss, list(attention.parameters())))

    for fused, explicit in zip(*found, strict=True):
        torch.testing.assert_close(fused, explicit, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("grid", [Grid(1, 4, 5), Grid(3, 2, 3), Grid(1, 1, 1)])
@pytest.mark.parametrize("num_prefix", [0, 2])
@torch.no_grad()
def test_the_depthwise_mix_is_its_loop_frame_by_frame_and_leaves_the_prefix_alone(
    grid: Grid, num_prefix: int
) -> None:
    mix = DepthwiseMix(6)
    x = torch.randn(2, num_prefix + grid.num_tokens, 6)
    tokens = Tokens(x=x, grid=grid, num_prefix=num_prefix)

    mixed = mix(tokens)

    torch.testing.assert_close(mixed, naive_mix(mix, tokens))
    assert torch.equal(mixed[:, :num_prefix], tokens.prefix)


def test_a_convolutional_projection_sees_the_neighbours_of_a_patch_and_a_linear_one_does_not() -> (
    None
):
    still = Tokens(x=torch.zeros(1, 2 + 25, 12), grid=Grid(1, 5, 5), num_prefix=2)
    x = still.x.clone()
    x[:, 2 + 12] = 1.0  # the middle
    touched = still.with_x(x)

    reach = {}
    for projection in ("linear", "conv"):
        attention = make_attention(projection=projection)
        pairs = (attention.queries_keys_values(tokens) for tokens in (still, touched))
        v, touched_v = (parts[2] for parts in pairs)
        reach[projection] = (v != touched_v).any(dim=3).any(dim=1)[0].nonzero().flatten().tolist()

    middle = 2 + 12
    assert reach["linear"] == [middle]
    assert reach["conv"] == [middle + 5 * dy + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


@torch.no_grad()
def test_the_cosine_does_not_mind_how_long_queries_and_keys_are(tokens: Tokens) -> None:
    attention = make_attention(similarity="cosine", has_bias=False)
    before = attention(tokens)

    attention.qkv.weight[:24] *= 5  # queries and keys, not values

    torch.testing.assert_close(attention(tokens), before)


def test_the_temperature_of_the_cosine_starts_at_10_and_ends_at_100() -> None:
    temperature, q = CosineTemperature(3), torch.randn(2, 3, 5, 4)
    torch.testing.assert_close(temperature(q).norm(dim=3), torch.full((2, 3, 5), 10.0))

    nn.init.constant_(temperature.log_factor, 20.0)

    most = torch.full((2, 3, 5), 100.0)
    torch.testing.assert_close(temperature(q).norm(dim=3), most, rtol=1e-4, atol=0)


def test_each_head_learns_its_own_temperature(tokens: Tokens) -> None:
    attention = make_attention(similarity="cosine")
    attention(tokens).square().sum().backward()

    assert attention.temperature is not None
    assert attention.temperature.log_factor.grad is not None
    assert attention.temperature.log_factor.grad.unique().numel() == 3


def test_what_was_not_asked_for_has_no_parameters() -> None:
    names = {name for name, _ in SelfAttention(12, num_heads=3, path="auto").named_parameters()}
    without = SelfAttention(12, num_heads=3, path="auto", has_bias=False)

    assert names == {"qkv.weight", "qkv.bias", "proj.weight", "proj.bias"}
    assert names - {name for name, _ in without.named_parameters()} == {"qkv.bias"}


@both_paths
@pytest.mark.parametrize("kind", [KINDS["cosine"], KINDS["qk norm"], KINDS["conv"]])
def test_autocast_keeps_attention_in_bf16_and_close_to_fp32(
    kind: dict[str, Any], path: Path, tokens: Tokens
) -> None:
    """Norms answer in fp32 under autocast; what follows them must not stay there."""
    attention = make_attention(path, **kind)
    rotary = RotaryPosition(4, base=100.0)(tokens)
    expected, trace = attention(rotary), Trace()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = attention(rotary, trace)
    out.float().square().sum().backward()

    (layer,) = trace.layers
    assert {x.dtype for x in (out, layer.q, layer.k, layer.v, layer.context)} == {torch.bfloat16}
    torch.testing.assert_close(out.float(), expected, rtol=0.1, atol=0.1)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in attention.parameters())


def test_attention_does_not_know_the_order_of_its_tokens(tokens: Tokens) -> None:
    attention = make_attention()

    flipped = attention(tokens.with_x(tokens.x.flip(1)))

    torch.testing.assert_close(flipped, attention(tokens).flip(1))


@both_paths
def test_tokens_may_say_who_looks_at_whom(path: Path, tokens: Tokens) -> None:
    """A token that sees itself alone gets the projection of its own value."""
    attention = make_attention(path)
    alone = replace(tokens, attention_mask=torch.eye(7, dtype=torch.bool)[None, None])

    v = attention.queries_keys_values(tokens)[2].transpose(1, 2).flatten(2)

    torch.testing.assert_close(attention(alone), attention.proj(v))


@both_paths
def test_a_trace_notes_what_attention_was_given_and_gave_and_changes_nothing(
    path: Path, tokens: Tokens
) -> None:
    attention, trace = make_attention(path), Trace()

    traced = attention(tokens, trace)

    assert torch.equal(traced, attention(tokens))
    (layer,) = trace.layers
    q, k, v = attention.queries_keys_values(tokens)
    assert torch.equal(layer.q, q)
    assert torch.equal(layer.k, k)
    assert torch.equal(layer.v, v)
    torch.testing.assert_close(attention.proj(layer.context.transpose(1, 2).flatten(2)), traced)
    assert (layer.num_prefix, layer.grid, layer.alpha, layer.mask) == (1, Grid(1, 2, 3), 1.0, None)


def test_heads_that_do_not_divide_the_width_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"embed_dim 10 .* 3 heads"):
        SelfAttention(10, num_heads=3, path="auto")
