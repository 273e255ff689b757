"""Going through a model block by block, so that only one block's gradient is in memory."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.tasks.classify import Classify
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace, TracedLayer


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


def has_blocks(task: Classify) -> bool:
    """Whether the backbone is a row of blocks of one width, each of which the head can read."""
    return isinstance(task.backbone, Vit | Rag)


def block_by_block(task: Classify, images: UInt8[Tensor, "B C H W"]) -> Iterator[BlockPass]:
    """Each block in turn, cut from the one before: gradients reach no further back than a block.

    Memory: one block's activations, and nothing of the others once the caller has let go of them.
    """
    backbone = task.backbone
    assert isinstance(backbone, Vit | Rag)
    with torch.no_grad():
        tokens = backbone.begin(task.normalise(images))
    for block in backbone.blocks:
        before = tokens.with_x(tokens.x.detach().requires_grad_())
        trace = Trace()
        with torch.enable_grad():
            after = block(before, trace)
        yield BlockPass(before, trace.layers[0], after)
        tokens = after.with_x(after.x.detach())
        del before, trace, after


def last_block(task: Classify, images: UInt8[Tensor, "B C H W"]) -> BlockPass:
    """The last block as it ran."""
    passes = block_by_block(task, images)
    last = next(passes)
    for last in passes:  # noqa: B007 - only the last one is wanted
        pass
    return last


def class_scores(
    task: Classify, tokens: Tokens, classes: Int64[Tensor, " B"]
) -> Float[Tensor, "B 1"]:
    """The logit of one class for each picture, read from the output of any block."""
    return task.head(task.backbone.readout(tokens)).logits.gather(1, classes[:, None])
