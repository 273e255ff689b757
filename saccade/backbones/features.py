"""What comes out of any layer of a backbone: tokens for probing, search and dense tasks.

A layer is a block of vit and rag, and a stage of cnn and attncnn (with the attention after it).
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from saccade.backbones.attention_cnn import AttentionCnn
from saccade.backbones.build import AnyBackbone
from saccade.backbones.cnn import Cnn
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.tokens.patches import pad_to_multiple
from saccade.tokens.tokens import Tokens, from_map

Norm = Literal["none", "final"]


def layer_tokens(
    backbone: AnyBackbone,
    images: Float[Tensor, "B C H W"] | Float[Tensor, "B T C H W"],
    layers: Sequence[int],
    *,
    norm: Norm = "none",
) -> list[Tokens]:
    """The tokens after some layers.

    Nothing runs after the last layer asked for, and the others are let go of as the next one runs,
    so the memory is that of the layers asked for (and of what a gradient needs, where one is
    wanted). Gradients flow as in ``backbone.forward``; under ``torch.no_grad`` none do.

    Args:
        backbone: in training or in evaluation mode, which is not changed.
        images: normalised, as for ``backbone``.
        layers: which ones, from 0; -1 is the last. Any order, and one may be asked for twice.
        norm: ``none``, as the next layer would be given them; ``final``: through the norm after the
            last layer, as the head would be. ``layer_tokens(backbone, images, [-1],
            norm="final")`` is ``backbone(images)``.

    Returns:
        For each layer asked for, in that order; ``Tokens.as_map`` makes feature maps of them.

    Raises:
        ValueError: there is no such layer, none is asked for, or the final norm has another width,
            as that of cnn and attncnn has for all stages but the last.
    """
    indices = _indices(layers, num_layers(backbone))
    found: dict[int, Tokens] = {}
    for index, tokens in enumerate(_each_layer(backbone, images)):
        if index in indices:
            found[index] = _through_norm(backbone, tokens, index) if norm == "final" else tokens
        if index == max(indices):
            break
    return [found[index] for index in indices]


def num_layers(backbone: AnyBackbone) -> int:
    """How many layers there are: blocks, or stages."""
    match backbone:
        case Vit() | Rag():
            return len(backbone.blocks)
        case AttentionCnn() | Cnn():
            return len(backbone.features.stages)


def _indices(layers: Sequence[int], count: int) -> list[int]:
    if not layers:
        raise ValueError(f"no layer was asked for; there are {count}, from 0 to {count - 1}")
    for layer in layers:
        if not -count <= layer < count:
            raise ValueError(
                f"there is no layer {layer}; the backbone has {count}, from 0 to {count - 1}, or "
                f"from -{count} to -1 counted from the end"
            )
    return [layer % count for layer in layers]


def _each_layer(
    backbone: AnyBackbone, images: Float[Tensor, "B C H W"] | Float[Tensor, "B T C H W"]
) -> Iterator[Tokens]:
    """Each layer's tokens, the next layer running only when it is asked for."""
    match backbone:
        case Vit() | Rag():
            for tokens in backbone.blocks.each(backbone.begin(images)):
                assert isinstance(tokens, Tokens)  # only packed pictures give packed tokens
                yield tokens
        case AttentionCnn() | Cnn():
            x = backbone.features.stem(pad_to_multiple(images, backbone.patch_size))  # B D0 H W
            for index, stage in enumerate(backbone.features.stages):
                x = stage(x)  # B D h w
                if isinstance(backbone, AttentionCnn):
                    x = backbone.attentions[index](x)
                yield from_map(x)


def _through_norm(backbone: AnyBackbone, tokens: Tokens, index: int) -> Tokens:
    width = tokens.x.shape[2]
    if width != backbone.embed_dim:
        raise ValueError(
            f"the final norm is for tokens of width {backbone.embed_dim}, and layer {index} has "
            f"{width}; ask for that layer with norm='none'"
        )
    return backbone.readout(tokens)
