"""Attention is its triple loop, on both paths, in value and in gradient."""

import math
from typing import Literal

import pytest
import torch
from torch import Tensor

from saccade.shapes import Grid
from saccade.transformer.attention import SelfAttention, attend, fastest_path, softmax_scale
from saccade.transformer.trace import Trace

CPU, GPU = torch.device("cpu"), torch.device("cuda")
Path = Literal["fused", "explicit"]
PATHS: tuple[Path, ...] = ("fused", "explicit")


def qkv(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Queries of 5 tokens that look at 7."""
    q = torch.randn(2, 3, 5, 4).to(dtype).requires_grad_()
    k, v = (torch.randn(2, 3, 7, 4).to(dtype).requires_grad_() for _ in range(2))
    return q, k, v


def naive_attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    out, weights = torch.zeros_like(q), torch.zeros(2, 3, 5, 7)
    for b in range(2):
        for a in range(3):
            for n in range(5):
                scores = [math.exp(scale * float(q[b, a, n] @ k[b, a, m])) for m in range(7)]
                for m in range(7):
                    weights[b, a, n, m] = scores[m] / sum(scores)
                    out[b, a, n] += weights[b, a, n, m] * v[b, a, m]
    return out, weights


def run(attention: SelfAttention, x: Tensor, trace: Trace | None = None) -> Tensor:
    return attention(x, num_prefix=0, grid=Grid(1, 1, x.shape[1]), trace=trace)


@pytest.mark.parametrize("path", PATHS)
def test_attend_is_the_triple_loop(path: Path) -> None:
    q, k, v = (tensor.detach() for tensor in qkv())
    expected, expected_weights = naive_attend(q, k, v, 0.5)

    context, weights = attend(q, k, v, scale=0.5, path=path)

    torch.testing.assert_close(context, expected)
    assert (weights is None) == (path == "fused")
    if weights is not None:
        torch.testing.assert_close(weights, expected_weights)


def gradients(dtype: torch.dtype, path: Path) -> list[Tensor]:
    torch.manual_seed(1)
    q, k, v = qkv(dtype)
    context, _ = attend(q, k, v, scale=0.5, path=path)
    direction = torch.randn(context.shape).to(dtype)
    (context * direction).sum().backward()
    return [context.detach(), *(tensor.grad for tensor in (q, k, v) if tensor.grad is not None)]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.05)])
def test_both_paths_agree_in_value_and_gradient(dtype: torch.dtype, tolerance: float) -> None:
    fused, explicit = (gradients(dtype, path) for path in PATHS)

    assert len(fused) == 4
    for one, other in zip(fused, explicit, strict=True):
        assert one.dtype == other.dtype == dtype
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("path", PATHS)
def test_a_scale_per_head_scales_each_head(path: Path) -> None:
    q, k, v = (tensor.detach() for tensor in qkv())
    scale = torch.tensor([0.1, 1.0, 3.0]).reshape(3, 1, 1)

    context, _ = attend(q, k, v, scale=scale, path=path)

    for head in range(3):
        expected, _ = naive_attend(q, k, v, scale[head].item())
        torch.testing.assert_close(context[:, head], expected[:, head])


@pytest.mark.parametrize("path", PATHS)
def test_autocast_keeps_attention_in_the_precision_of_its_values(path: Path) -> None:
    attention = SelfAttention(12, num_heads=3, path=path)
    x = torch.randn(2, 5, 12)
    trace = Trace()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = run(attention, x)
        run(attention, x, trace)

    assert out.dtype == torch.bfloat16
    assert trace.layers[0].attention.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), run(attention, x), rtol=0.1, atol=0.05)


@pytest.mark.parametrize("setting", PATHS)
def test_a_path_that_was_asked_for_is_taken(setting: Path) -> None:
    assert fastest_path(setting, device=GPU, dtype=torch.float32, num_tokens=9) == setting
    assert fastest_path(setting, device=CPU, dtype=torch.bfloat16, num_tokens=9) == setting


@pytest.mark.parametrize(
    ("device", "dtype", "num_tokens", "expected"),
    [
        (CPU, torch.bfloat16, 65, "explicit"),
        (CPU, torch.bfloat16, 785, "fused"),
        (CPU, torch.float32, 65, "fused"),
        (GPU, torch.bfloat16, 65, "fused"),
    ],
)
def test_auto_takes_the_path_that_was_measured_faster(
    device: torch.device, dtype: torch.dtype, num_tokens: int, expected: str
) -> None:
    assert fastest_path("auto", device=device, dtype=dtype, num_tokens=num_tokens) == expected


def test_the_scale_keeps_the_variance_of_random_scores_at_one() -> None:
    q, k = torch.randn(2, 4000, 64)

    assert (softmax_scale(64) * (q * k).sum(dim=1)).var().item() == pytest.approx(1, abs=0.1)


def test_each_head_attends_in_its_own_slice_of_the_width() -> None:
    attention = SelfAttention(6, num_heads=2, path="explicit")
    x = torch.randn(1, 4, 6)

    q, k, v = (x @ attention.qkv.weight.T + attention.qkv.bias).split(6, dim=-1)
    heads = []
    for head in (slice(0, 3), slice(3, 6)):
        weights = (q[..., head] @ k[..., head].transpose(1, 2) / math.sqrt(3)).softmax(dim=-1)
        heads.append(weights @ v[..., head])
    expected = torch.cat(heads, dim=-1) @ attention.proj.weight.T + attention.proj.bias

    torch.testing.assert_close(run(attention, x), expected)


def test_attention_does_not_know_the_order_of_its_tokens() -> None:
    attention = SelfAttention(12, num_heads=3, path="fused")
    x = torch.randn(2, 5, 12)

    torch.testing.assert_close(run(attention, x.flip(1)), run(attention, x).flip(1))


def test_a_trace_takes_the_map_on_the_fused_path_too() -> None:
    attention = SelfAttention(12, num_heads=3, path="fused")
    x = torch.randn(2, 5, 12)
    trace = Trace()

    traced = attention(x, num_prefix=1, grid=Grid(1, 2, 2), trace=trace)

    torch.testing.assert_close(traced, run(attention, x))
    (layer,) = trace.layers
    assert layer.attention.shape == (2, 3, 5, 5)
    assert (layer.num_prefix, layer.grid, layer.alpha) == (1, Grid(1, 2, 2), 1.0)


def test_heads_that_do_not_divide_the_width_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"embed_dim 10 .* 3 heads"):
        SelfAttention(10, num_heads=3, path="auto")
