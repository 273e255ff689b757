"""A model of another library beside ours with the same weights, every one of them drawn.

A fresh model hides mistakes: its biases, positions and class token are zero, its norms one. So
every parameter is drawn, in sizes that keep the signal alive through the blocks.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from saccade.backbones.build import build_backbone
from saccade.tasks.build import build_head
from saccade.transformer.trace import Trace
from saccade.weights.pretrained import Pretrained


class Outputs(NamedTuple):
    """What a model made of pictures: the tokens after each block, and what it answers last."""

    blocks: list[Tensor]
    last: Tensor  # logits, or the tokens after the final norm of a model without a head


def randomise(model: nn.Module, *, seed: int) -> None:
    """Draws every parameter: matrices keep a signal's variance, norms and scales are near 1."""
    generator = torch.Generator().manual_seed(seed)
    norms = {id(each.weight) for each in model.modules() if isinstance(each, nn.LayerNorm)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            is_scale = id(parameter) in norms or "scale" in name or "gamma" in name
            is_matrix = name.endswith("weight") and parameter.ndim > 1
            spread = parameter[0].numel() ** -0.5 if is_matrix else 0.3
            parameter.copy_(spread * noise + float(is_scale))


def recorded(model: nn.Module, blocks: Iterable[nn.Module], run: Callable[[], Tensor]) -> Outputs:
    """Runs a model of another library and keeps what each of its blocks gives back.

    Args:
        model: put into evaluation mode.
        blocks: its transformer blocks, in order.
        run: calls the model and returns what it answers last.
    """
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
        kept.append(output if isinstance(output, Tensor) else output[0])

    hooks = [block.register_forward_hook(keep) for block in blocks]
    model.eval()
    with torch.no_grad():
        last = run()
    for hook in hooks:
        hook.remove()
    return Outputs(kept, last)


def ours(weights: Pretrained, images: Tensor) -> Outputs:
    """The same from ours, built from nothing but what was read."""
    backbone = build_backbone(weights.model, in_channels=images.shape[-3]).eval()
    head = build_head(weights.model, num_classes=max(len(weights.class_names), 1)).eval()
    has_head = bool(weights.class_names)
    for module, prefix in ((backbone, "backbone."), (head, "head.")):
        if module is backbone or has_head:
            module.load_state_dict(
                {
                    name.removeprefix(prefix): tensor
                    for name, tensor in weights.tensors.items()
                    if name.startswith(prefix)
                }
            )
    trace = Trace()
    with torch.no_grad():
        tokens = backbone(images, trace)
        last = head(tokens).logits if has_head else tokens.x
    blocks = [layer.tokens.x for layer in trace.layers if layer.tokens is not None]
    return Outputs(blocks, last)


def error(mine: Outputs, theirs: Outputs) -> float:
    """The largest relative error, max|a - b| / max|b|, over all blocks and the answer."""
    assert len(mine.blocks) == len(theirs.blocks) > 0
    pairs = [*zip(mine.blocks, theirs.blocks, strict=True), (mine.last, theirs.last)]
    return max(_relative(a, b) for a, b in pairs)


def _relative(a: Tensor, b: Tensor) -> float:
    assert a.shape == b.shape, (a.shape, b.shape)
    return float((a - b).abs().max() / b.abs().max())
