"""Cross-attention is its loop: each query gathers from what the mask lets it see."""

import math
from typing import Literal

import pytest
import torch
from torch import Tensor

from saccade.transformer.cross import CrossAttention

Path = Literal["fused", "explicit"]
both_paths = pytest.mark.parametrize("path", ["fused", "explicit"])


def make_cross(path: Path) -> CrossAttention:
    return CrossAttention(12, context_dim=10, num_heads=3, path=path)


def inputs() -> tuple[Tensor, Tensor]:
    """Four queries for each of two pictures, and the seven tokens they look at."""
    return torch.randn(2, 4, 12), torch.randn(2, 7, 10)


def naive(cross: CrossAttention, queries: Tensor, context: Tensor, mask: Tensor | None) -> Tensor:
    """Picture by picture, query by query, head by head."""
    out = torch.zeros(2, 4, 12)
    keys, values = cross.kv(context).split(12, dim=2)
    for b in range(2):
        for i in range(4):
            for head in (slice(0, 4), slice(4, 8), slice(8, 12)):
                q = cross.q(queries[b, i])[head]
                seen = [m for m in range(7) if mask is None or mask[b, 0, i, m]]
                powers = [math.exp(float(q @ keys[b, m, head]) / math.sqrt(4)) for m in seen]
                for power, m in zip(powers, seen, strict=True):
                    out[b, i, head] += power / sum(powers) * values[b, m, head]
    return cross.proj(out)


@both_paths
@torch.no_grad()
def test_cross_attention_is_its_loop(path: Path) -> None:
    cross, (queries, context) = make_cross(path), inputs()

    torch.testing.assert_close(cross(queries, context), naive(cross, queries, context, None))


@both_paths
@torch.no_grad()
def test_a_query_gathers_only_where_its_mask_is_true(path: Path) -> None:
    cross, (queries, context) = make_cross(path), inputs()
    mask = torch.rand(2, 1, 4, 7) < 0.5
    mask[..., 2] = True
    mask[1, 0, 3] = False  # this one sees nothing

    found = cross(queries, context, mask)

    torch.testing.assert_close(found, naive(cross, queries, context, mask))
    torch.testing.assert_close(found[1, 3], cross.proj.bias)


@both_paths
def test_gradients_reach_queries_context_and_every_weight(path: Path) -> None:
    cross, (queries, context) = make_cross(path), inputs()
    queries.requires_grad_()
    context.requires_grad_()

    cross(queries, context).square().sum().backward()

    for tensor in (queries, context, *cross.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.any()


@both_paths
def test_queries_do_not_see_each_other(path: Path) -> None:
    cross, (queries, context) = make_cross(path), inputs()

    alone = cross(queries[:, 1:2], context)

    torch.testing.assert_close(alone, cross(queries, context)[:, 1:2])


@both_paths
def test_autocast_answers_in_its_own_precision_and_close_to_fp32(path: Path) -> None:
    cross, (queries, context) = make_cross(path), inputs()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = cross(queries, context)

    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), cross(queries, context), rtol=0.1, atol=0.05)


def test_heads_that_do_not_divide_the_width_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"embed_dim 10 .* 3 heads"):
        CrossAttention(10, context_dim=12, num_heads=3, path="auto")
