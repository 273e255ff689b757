"""A model gone through block by block is the model, and lets go of what it has passed."""

import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from saccade.attribution.layers import (
    BlockPass,
    block_by_block,
    has_blocks,
    last_block,
    layers_backwards,
    scores_of,
)
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.tasks.classify import Classify
from saccade.tokens.tokens import Tokens
from saccade.transformer.block import Blocks
from saccade.transformer.trace import Trace

MakeTask = Callable[[str], Classify]
WITH_BLOCKS = ["vit", "vit-class", "vit-windows", "vit-rotary", "rag"]


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_block_by_block_is_the_whole_forward_pass(
    name: str, make_task: MakeTask, images: Tensor
) -> None:
    task, trace = make_task(name), Trace()
    tokens = task.tokens(images, trace)

    passes = list(block_by_block(task, images))

    assert len(passes) == 2
    for ran, layer in zip(passes, trace.layers, strict=True):
        torch.testing.assert_close(ran.layer.context, layer.context)
        assert ran.layer.alpha == layer.alpha
    torch.testing.assert_close(task.backbone.readout(passes[-1].after).x, tokens.x)


def test_gradients_stay_within_a_block(make_task: MakeTask, images: Tensor) -> None:
    task = make_task("vit").requires_grad_(requires_grad=False)

    first, second = block_by_block(task, images)

    score = second.after.x.sum()
    nothing = torch.autograd.grad(score, first.layer.context, retain_graph=True, allow_unused=True)
    assert nothing == (None,)
    assert torch.autograd.grad(score, second.layer.context)[0].any()


def test_only_one_block_is_kept(make_task: MakeTask, images: Tensor) -> None:
    """Each block notes, when it is done, whether anything of the one before it is still there."""
    task = make_task("vit")
    assert isinstance(task.backbone, Vit)
    kept: list[weakref.ref[Tensor]] = []
    num_alive = []

    def note(block: nn.Module, given: object, tokens: Tokens) -> None:
        num_alive.append(sum(tensor() is not None for tensor in kept))
        kept.append(weakref.ref(tokens.x))

    def look(ran: BlockPass) -> None:
        kept.extend(weakref.ref(x) for x in (ran.before.x, ran.layer.q, ran.layer.context))

    for block in task.backbone.blocks:
        block.register_forward_hook(note)
    for _ in map(look, block_by_block(task, images)):
        pass

    assert num_alive == [0, 0]


def test_only_one_layer_is_kept_on_the_way_back(make_task: MakeTask, images: Tensor) -> None:
    kept: list[weakref.ref[Tensor]] = []

    for layer in layers_backwards(make_task("vit"), images):
        assert all(tensor() is None for tensor in kept)
        kept.append(weakref.ref(layer.q))
        del layer

    assert len(kept) == 2


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_backwards_gives_the_layers_of_the_forward_pass_the_last_one_first(
    name: str, make_task: MakeTask, images: Tensor
) -> None:
    task, trace = make_task(name), Trace()
    task.tokens(images, trace)

    layers = list(layers_backwards(task, images))

    for layer, expected in zip(layers, reversed(trace.layers), strict=True):
        torch.testing.assert_close(layer.attention(), expected.attention())
        assert not layer.q.requires_grad


def test_the_last_block_reaches_the_score_and_nothing_before_it_does(
    make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task("rag")

    before, _, after = last_block(task, images)

    scores = scores_of(task, after, classes)
    torch.testing.assert_close(scores, task(images).logits[torch.arange(3), classes])
    assert before.x.is_leaf
    assert torch.autograd.grad(scores.sum(), before.x)[0].any()


@pytest.mark.parametrize(("name", "expected"), [("vit", True), ("attncnn", False), ("cnn", False)])
def test_a_row_of_blocks_is_what_vit_and_rag_have(
    name: str, expected: bool, make_task: MakeTask
) -> None:
    assert has_blocks(make_task(name)) == expected


def test_no_blocks_at_all_are_no_row_of_blocks(make_task: MakeTask) -> None:
    task = make_task("rag")
    assert isinstance(task.backbone, Rag)

    task.backbone.blocks = Blocks()

    assert not has_blocks(task)
