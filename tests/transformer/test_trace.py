"""A trace keeps what a pass did, with the gradient, and belongs to one pass only."""

import torch

from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens
from saccade.transformer.block import make_blocks
from saccade.transformer.trace import Trace


def traced_pass() -> tuple[Trace, Tokens]:
    blocks = make_blocks(
        embed_dim=8,
        depth=2,
        num_heads=2,
        mlp_ratio=2.0,
        residual="prenorm",
        drop_path=0.0,
        attention="fused",
    )
    tokens = Tokens(x=torch.randn(2, 1 + 6, 8), grid=Grid(1, 2, 3), num_prefix=1)
    trace = Trace()
    for block in blocks:
        tokens = block(tokens, trace)
    return trace, tokens


def test_traces_do_not_share_their_layers() -> None:
    trace, _ = traced_pass()

    assert len(trace.layers) == 2
    assert Trace().layers == []


def test_the_gradient_of_the_output_reaches_every_map() -> None:
    trace, tokens = traced_pass()

    maps = [layer.attention for layer in trace.layers]
    gradients = torch.autograd.grad(tokens.x.square().sum(), maps)

    assert all(gradient.any() for gradient in gradients)


def test_the_tokens_noted_are_those_each_block_returned() -> None:
    trace, tokens = traced_pass()

    assert trace.layers[-1].tokens is tokens
    assert trace.layers[0].tokens is not None
    assert (trace.layers[0].num_prefix, trace.layers[0].grid) == (1, Grid(1, 2, 3))
