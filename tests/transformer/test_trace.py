"""A trace keeps enough of a pass to form any rows of a map or of its gradient, for one pass."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens
from saccade.transformer import trace as trace_module
from saccade.transformer.attend import attend
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Block, Blocks
from saccade.transformer.mlp import Mlp
from saccade.transformer.residual import make_gate
from saccade.transformer.trace import Trace, TracedLayer


def traced_pass() -> tuple[Trace, Tokens]:
    blocks = Blocks(
        Block(
            attention=SelfAttention(8, num_heads=2, path="fused"),
            mlp=Mlp(8, hidden_dim=16),
            attention_gate=make_gate("prenorm", 8),
            mlp_gate=make_gate("prenorm", 8),
            embed_dim=8,
            drop_path=0.0,
        )
        for _ in range(2)
    )
    tokens = Tokens(x=torch.randn(2, 1 + 6, 8), grid=Grid(1, 2, 3), num_prefix=1)
    trace = Trace()
    return trace, blocks(tokens, trace)


def masks() -> dict[str, Tensor | None]:
    """None, one for all rows, one row for each query; the last query may see nothing."""
    each = torch.rand(2, 1, 7, 7, generator=torch.Generator().manual_seed(1)) < 0.6
    each[:, :, :, 0] = True
    each[:, :, -1] = False
    return {"no mask": None, "of the keys": each[:, :, :1], "of the queries": each}


MASKS = masks()
every_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())


def make_layer(mask: Tensor | None) -> TracedLayer:
    q, k, v = (torch.randn(2, 3, 7, 4) for _ in range(3))
    context = attend(q, k, v, path="fused", mask=mask)
    return TracedLayer(
        q=q, k=k, v=v, context=context, mask=mask, alpha=1.0, num_prefix=1, grid=Grid(1, 2, 3)
    )


def test_traces_do_not_share_their_layers() -> None:
    trace, _ = traced_pass()

    assert len(trace.layers) == 2
    assert Trace().layers == []


def test_the_gradient_of_the_output_reaches_every_context() -> None:
    trace, tokens = traced_pass()

    contexts = [layer.context for layer in trace.layers]
    gradients = torch.autograd.grad(tokens.x.square().sum(), contexts)

    assert all(gradient.any() for gradient in gradients)


def test_the_tokens_noted_are_those_each_block_returned() -> None:
    trace, tokens = traced_pass()

    assert trace.layers[-1].tokens is tokens
    assert trace.layers[0].tokens is not None
    assert (trace.layers[0].num_prefix, trace.layers[0].grid) == (1, Grid(1, 2, 3))


@every_mask
def test_the_map_is_the_one_that_made_the_context(mask: Tensor | None) -> None:
    layer = make_layer(mask)

    weights = layer.attention()

    torch.testing.assert_close(weights @ layer.v, layer.context)
    sums = weights.sum(dim=3)
    sees = torch.ones(2, 1, 7, 7) if mask is None else mask.expand(2, 1, 7, 7)
    torch.testing.assert_close(sums, sees.any(dim=3).float().expand(2, 3, 7))
    assert not weights[(sees == 0).expand_as(weights)].any()


@every_mask
def test_rows_of_the_map_are_the_map_row_by_row(mask: Tensor | None) -> None:
    layer = make_layer(mask)
    gradient = torch.randn(2, 3, 7, 4)
    weights, gradients = layer.attention(), layer.attention_gradient(gradient)

    for rows in (slice(0, 1), slice(2, 5), slice(6, 7), slice(None)):
        torch.testing.assert_close(layer.attention(rows), weights[:, :, rows])
        torch.testing.assert_close(layer.attention_gradient(gradient, rows), gradients[:, :, rows])


@every_mask
def test_the_gradient_of_the_map_is_the_one_autograd_finds(mask: Tensor | None) -> None:
    """Naively: the map a leaf of the graph, the score some function of what it gathers."""
    layer = make_layer(mask)
    weights = layer.attention().requires_grad_()
    seen = weights if mask is None else weights * mask
    context = seen @ layer.v

    expected, gradient = torch.autograd.grad(context.square().sum(), [weights, context])

    torch.testing.assert_close(layer.attention_gradient(gradient), expected)


@pytest.mark.parametrize(("chunk_bytes", "lengths"), [(1, [1] * 7), (600, [3, 3, 1]), (2**26, [7])])
def test_chunks_cover_all_rows_once_within_the_memory_allowed(
    chunk_bytes: int, lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of this layer is 2 pictures x 3 heads x 7 tokens x 4 bytes: 168."""
    monkeypatch.setattr(trace_module, "CHUNK_BYTES", chunk_bytes)
    layer = make_layer(None)

    chunks = list(layer.chunks())

    assert [rows for chunk in chunks for rows in range(7)[chunk]] == list(range(7))
    assert [len(range(7)[chunk]) for chunk in chunks] == lengths
    together = torch.cat([layer.attention(rows) for rows in chunks], dim=2)
    torch.testing.assert_close(together, layer.attention())


def test_a_mask_hides_in_bf16_too() -> None:
    layer = make_layer(MASKS["of the queries"])
    half = replace(layer, q=layer.q.bfloat16(), k=layer.k.bfloat16(), v=layer.v.bfloat16())

    weights = half.attention()

    assert weights.dtype == torch.bfloat16
    assert weights.isfinite().all()
    torch.testing.assert_close(weights.float(), layer.attention(), rtol=0.1, atol=0.02)
