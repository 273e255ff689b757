"""Going through a model block by block, so that only one block's gradient is in memory."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.query_vit import QueryVit
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.tasks.task import Explained
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace, TracedLayer

Images = UInt8[Tensor, "B C H W"] | UInt8[Tensor, "B T C H W"]
"""Pictures, or clips, as bytes."""


Blockwise = Vit | Rag | QueryVit
"""Backbones that are a row of blocks."""


class BlockPass(NamedTuple):
    """One block as it ran, with a gradient of its own.

    Attributes:
        before: what it was given; a leaf of the autograd graph.
        layer: its attention.
        after: what it returned.
    """

    before: Tokens
    layer: TracedLayer
    after: Tokens


def has_blocks(task: Explained) -> bool:
    """Whether the backbone is a row of blocks of one width, each of which the head can read."""
    return isinstance(task.backbone, Blockwise) and len(task.backbone.blocks) > 0


def block_by_block(task: Explained, images: Images) -> Iterator[BlockPass]:
    """Each block in turn, cut from the one before: gradients reach no further back than a block.

    Memory: one block's activations, and nothing of the others once the caller has let go of them.
    A variable of a loop lets go only when the next block has run; an argument does so before.
    """
    backbone = task.backbone
    assert isinstance(backbone, Blockwise)
    with torch.no_grad():
        tokens = backbone.begin(task.normalise(images))
    for block in backbone.blocks:
        ran = _run(block, tokens)
        tokens = ran.after.with_x(ran.after.x.detach())
        yield ran
        del ran


def last_block(task: Explained, images: Images) -> BlockPass:
    """The last block as it ran; those before it leave nothing but what it was given."""
    block, before = deque(_blocks_and_inputs(task, images), maxlen=1).pop()
    return _run(block, before)


def layers_backwards(task: Explained, images: Images) -> Iterator[TracedLayer]:
    """The attention of each block from the last to the first, without gradients.

    Memory: what each block was given. Its queries, keys and values are several times as much; they
    are found again when its turn comes, for the price of running it once more.
    """
    for block, before in reversed(list(_blocks_and_inputs(task, images))):
        trace = Trace()
        with torch.no_grad():
            block(before, trace)
        yield trace.layers.pop()


def scores_of(task: Explained, tokens: Tokens, asked: Int64[Tensor, " B"]) -> Float[Tensor, " B"]:
    """How much the output of any block speaks for what was asked."""
    assert isinstance(task.backbone, Blockwise)
    return task.score(task.backbone.readout(tokens), asked)


def _run(block: nn.Module, tokens: Tokens) -> BlockPass:
    before = tokens.with_x(tokens.x.detach().requires_grad_())
    trace = Trace()
    with torch.enable_grad():
        after = block(before, trace)
    return BlockPass(before, trace.layers[0], after)


def _blocks_and_inputs(task: Explained, images: Images) -> Iterator[tuple[nn.Module, Tokens]]:
    """Each block and what it is given; the last one is not run."""
    backbone = task.backbone
    assert isinstance(backbone, Blockwise)
    *others, last = backbone.blocks
    with torch.no_grad():
        tokens = backbone.begin(task.normalise(images))
    for block in others:
        yield block, tokens
        with torch.no_grad():
            tokens = block(tokens)
    yield last, tokens
