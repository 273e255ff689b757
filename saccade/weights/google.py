"""Reads Google's ViT and AugReg files: ``.npz`` archives of Flax arrays.

Their layers multiply from the other side (kernels are inputs x outputs) and keep one axis for the
heads, so the number of heads is in the file. Flax's ``gelu`` is the tanh approximation unless told
otherwise, and the published models do not say otherwise; so it is ``gelu_tanh`` here, where timm
computes the same weights with the exact one.
https://github.com/google-research/vision_transformer
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.errors import DataError
from saccade.weights.blank import blank
from saccade.weights.files import WeightFile
from saccade.weights.pretrained import Pretrained
from saccade.weights.rename import Rule, Tensors, changed, read_tensors, same, split
from saccade.weights.settle import class_names, count_blocks, square

_PROJECTION = "embedding/kernel"
_BLOCKS = "Transformer/encoderblock_"
_ATTENTION = "MultiHeadDotProductAttention_1"
_POSITIONS = "Transformer/posembed_input/pos_embedding"


def is_google(file: WeightFile) -> bool:
    """Whether the names of the arrays are those of Google's vision transformers."""
    return _PROJECTION in file.tensors and any(name.startswith(_BLOCKS) for name in file.tensors)


def read_google(file: WeightFile) -> Pretrained:
    """Turns one of Google's files into weights of ours, whole or not at all.

    Raises:
        DataError: it is not complete, or not a plain vision transformer.
    """
    tensors, source = file.tensors, file.source
    _refuse_others(tensors, source=source)
    patch_size, width, channels, embed_dim = _shape(file, _PROJECTION, 4)
    if patch_size != width or channels != 3:
        raise DataError(
            f"{source}: {_PROJECTION} is {(patch_size, width, channels, embed_dim)}; expected "
            "square patches of RGB pictures"
        )
    heads = _shape(file, f"{_BLOCKS}0/{_ATTENTION}/query/kernel", 3)[1]
    hidden = _shape(file, f"{_BLOCKS}0/MlpBlock_3/Dense_0/kernel", 2)[1]
    has_class_token = "cls" in tensors
    count = _shape(file, _POSITIONS, 3)[1]
    grid = square(count - int(has_class_token))
    if grid is None:
        raise DataError(
            f"{source}: {count} positions are no square grid of patches"
            f"{' and a class token' if has_class_token else ''}"
        )
    model = VitConfig(
        embed_dim=embed_dim,
        depth=count_blocks(tensors, _BLOCKS),
        num_heads=heads,
        mlp_ratio=hidden / embed_dim,
        patch_size=patch_size,
        stem="patches",
        position="learned",
        residual="prenorm",
        num_registers=0,
        has_class_token=has_class_token,
        drop_path=0.0,
        position_grid=(1, *grid),
        num_prefix_positions=int(has_class_token),
        activation="gelu_tanh",
        pool="class" if has_class_token else "mean",
    )
    num_classes = _shape(file, "head/kernel", 2)[1] if "head/kernel" in tensors else 0
    names, about_names = class_names(None, num_classes, source=source)
    renamed = read_tensors(
        tensors,
        rules=google_rules(model, num_classes=num_classes),
        blank=blank(model, num_classes=num_classes),
        source=source,
    )
    side = grid[0] * patch_size
    return Pretrained(
        source=source,
        library="google",
        architecture=f"ViT, {embed_dim} wide, {model.depth} deep, patches of {patch_size}",
        model=model,
        class_names=names,
        preprocess=Preprocess(
            height=side,
            width=side,
            channels=3,
            fit="squash",
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            interpolation="bilinear",
        ),
        licence=file.licence,
        tensors=renamed.tensors,
        notes=(
            *renamed.notes,
            *about_names,
            "GELU is the tanh approximation, as in the Flax code that trained these weights",
        ),
    )


def google_rules(config: VitConfig, *, num_classes: int) -> list[Rule]:
    """The rules for a model of this shape.

    Args:
        config: the shape.
        num_classes: outputs K of the head; 0 for none.
    """
    width, heads = config.embed_dim, config.num_heads
    project = "backbone.embed.project"
    rules = [
        changed(f"{project}.weight", _PROJECTION, read=_to_conv, write=_from_conv),
        same(f"{project}.bias", "embedding/bias"),
    ]
    if config.has_class_token:
        _, h, w = config.position_grid
        ours = ("backbone.position.prefix", "backbone.position.table")
        rules += [
            same("backbone.prefix", "cls"),
            split(ours, _POSITIONS, lengths=(1, h * w), dim=1),
        ]
    else:
        rules.append(same("backbone.position.table", _POSITIONS))
    for index in range(config.depth):
        block, theirs = f"backbone.blocks.{index}", f"{_BLOCKS}{index}"
        rules += _norm(f"{block}.attention_norm", f"{theirs}/LayerNorm_0")
        rules += _attention(f"{block}.attention", f"{theirs}/{_ATTENTION}", width, heads)
        rules += _norm(f"{block}.mlp_norm", f"{theirs}/LayerNorm_2")
        rules += _dense(f"{block}.mlp.widen", f"{theirs}/MlpBlock_3/Dense_0")
        rules += _dense(f"{block}.mlp.narrow", f"{theirs}/MlpBlock_3/Dense_1")
    rules += _norm("backbone.norm", "Transformer/encoder_norm")
    if num_classes:
        rules += _dense("head.classify", "head")
    return rules


def _refuse_others(tensors: Mapping[str, Tensor], *, source: str) -> None:
    for part, why in (
        ("pre_logits/", "it has a representation layer (pre_logits) between the class token and "
         "the head, which later models dropped. Take an AugReg file, or drop it and the head it "
         "feeds by name: leave_out=[\"pre_logits/*\", \"head/*\"]"),
        ("conv_root/", "its patches come from a ResNet (an R50+ViT hybrid)"),
    ):  # fmt: skip
        if any(name.startswith(part) for name in tensors):
            raise DataError(f"{source} cannot be read: {why}")


def _norm(ours: str, theirs: str) -> list[Rule]:
    return [same(f"{ours}.weight", f"{theirs}/scale"), same(f"{ours}.bias", f"{theirs}/bias")]


def _dense(ours: str, theirs: str) -> list[Rule]:
    """Their kernel is inputs x outputs, our weight outputs x inputs."""
    return [
        changed(f"{ours}.weight", f"{theirs}/kernel", read=_transpose, write=_transpose),
        same(f"{ours}.bias", f"{theirs}/bias"),
    ]


def _attention(ours: str, theirs: str, width: int, heads: int) -> list[Rule]:
    """Query, key and value kernels are D x A x E each; the output kernel is A x E x D."""

    def read_weight(parts: Tensors) -> Tensors:
        return [torch.cat([part.reshape(width, width).T for part in parts])]

    def write_weight(whole: Tensors) -> Tensors:
        return [part.T.reshape(width, heads, -1) for part in whole[0].chunk(3)]

    def read_bias(parts: Tensors) -> Tensors:
        return [torch.cat([part.reshape(width) for part in parts])]

    def write_bias(whole: Tensors) -> Tensors:
        return [part.reshape(heads, -1) for part in whole[0].chunk(3)]

    names = [f"{theirs}/{part}" for part in ("query", "key", "value")]
    parts: list[tuple[str, str, Callable[[Tensors], Tensors], Callable[[Tensors], Tensors]]] = [
        ("weight", "kernel", read_weight, write_weight),
        ("bias", "bias", read_bias, write_bias),
    ]
    rules = [
        Rule(
            ours=(f"{ours}.qkv.{our_part}",),
            theirs=tuple(f"{name}/{their_part}" for name in names),
            read=read,
            write=write,
        )
        for our_part, their_part, read, write in parts
    ]
    return [
        *rules,
        changed(
            f"{ours}.proj.weight",
            f"{theirs}/out/kernel",
            read=lambda kernel: kernel.reshape(width, width).T,
            write=lambda weight: weight.T.reshape(heads, -1, width),
        ),
        same(f"{ours}.proj.bias", f"{theirs}/out/bias"),
    ]


def _shape(file: WeightFile, name: str, ndim: int) -> tuple[int, ...]:
    found = file.tensors.get(name)
    if found is None or found.ndim != ndim:
        what = "is missing" if found is None else f"has the shape {tuple(found.shape)}"
        raise DataError(
            f"{file.source}: {name} {what}; Google's vision transformers have it with {ndim} axes"
        )
    return tuple(found.shape)


def _transpose(kernel: Tensor) -> Tensor:
    return kernel.T


def _to_conv(kernel: Tensor) -> Tensor:
    """P x P x C x D to D x C x P x P."""
    return kernel.permute(3, 2, 0, 1)


def _from_conv(weight: Tensor) -> Tensor:
    return weight.permute(2, 3, 1, 0)
