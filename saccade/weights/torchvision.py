"""Reads torchvision's vision transformers: vit_b_16, vit_b_32, vit_l_16, vit_l_32, vit_h_14.

torchvision itself saves pickles only, so these are safetensors files that somebody converted. They
bring no description; what they do not settle is taken from the published models, and said.
"""

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.errors import DataError
from saccade.weights.blank import blank
from saccade.weights.files import WeightFile
from saccade.weights.pretrained import Pretrained
from saccade.weights.rename import Rule, read_tensors, same, split, weight_and_bias
from saccade.weights.settle import class_names, count_blocks, heads_of, square

_PROJECTION = "conv_proj.weight"
_LAYERS = "encoder.layers.encoder_layer_"

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Width and patch size to the name, and what the short side is scaled to before 224 pixels are cut.
_PUBLISHED = {
    (768, 16): ("vit_b_16", 256),
    (768, 32): ("vit_b_32", 256),
    (1024, 16): ("vit_l_16", 242),
    (1024, 32): ("vit_l_32", 256),
    (1280, 14): ("vit_h_14", 224),
}

_BLOCK = (
    ("attention_norm", "ln_1"),
    ("attention.proj", "self_attention.out_proj"),
    ("mlp_norm", "ln_2"),
    ("mlp.widen", "mlp.0"),
    ("mlp.narrow", "mlp.3"),
)
_OLD_NAMES = {"mlp.0": "mlp.linear_1", "mlp.3": "mlp.linear_2"}  # of weights from before 2022


def is_torchvision(file: WeightFile) -> bool:
    """Whether the names of the tensors are those of torchvision's vision transformers."""
    return _PROJECTION in file.tensors and "encoder.pos_embedding" in file.tensors


def read_torchvision(file: WeightFile) -> Pretrained:
    """Turns a file of torchvision into weights of ours, whole or not at all.

    Raises:
        DataError: it is not complete, or not one of its plain vision transformers.
    """
    tensors, source = file.tensors, file.source
    if "conv_proj.0.0.weight" in tensors or "heads.pre_logits.weight" in tensors:
        raise DataError(
            f"{source} cannot be read: its stem or its head has several layers. Read are vit_b_16, "
            "vit_b_32, vit_l_16, vit_l_32 and vit_h_14."
        )
    embed_dim, _, patch_size, _ = _shape(file, _PROJECTION, 4)
    hidden, _ = _shape(file, f"{_LAYERS}0.{_their_name(file, 'mlp.0')}.weight", 2)
    count = _shape(file, "encoder.pos_embedding", 3)[1]
    grid = square(count - 1)
    if grid is None:
        raise DataError(
            f"{source}: {count} positions are not a class token and a square grid of patches"
        )
    heads, notes = heads_of(file.config, embed_dim, source=source)
    model = VitConfig(
        embed_dim=embed_dim,
        depth=count_blocks(tensors, _LAYERS),
        num_heads=heads,
        mlp_ratio=hidden / embed_dim,
        patch_size=patch_size,
        stem="patches",
        position="learned",
        residual="prenorm",
        num_registers=0,
        has_class_token=True,
        drop_path=0.0,
        position_grid=(1, *grid),
        num_prefix_positions=1,
        pool="class",
    )
    num_classes = 0
    if "heads.head.weight" in tensors:
        num_classes = _shape(file, "heads.head.weight", 2)[0]
    names, about_names = class_names(None, num_classes, source=source)
    renamed = read_tensors(
        tensors,
        rules=torchvision_rules(
            model,
            num_classes=num_classes,
            uses_old_names=f"{_LAYERS}0.mlp.linear_1.weight" in tensors,
        ),
        blank=blank(model, num_classes=num_classes),
        source=source,
    )
    name, preprocess, about_pictures = published_as(model)
    return Pretrained(
        source=source,
        library="torchvision",
        architecture=name,
        model=model,
        class_names=names,
        preprocess=preprocess,
        licence=file.licence,
        tensors=renamed.tensors,
        notes=(*notes, *renamed.notes, *about_names, about_pictures),
    )


def torchvision_rules(
    config: VitConfig, *, num_classes: int, uses_old_names: bool = False
) -> list[Rule]:
    """The rules for a model of this shape.

    Args:
        config: the shape.
        num_classes: outputs K of the head; 0 for none.
        uses_old_names: whether the layers of the MLP have the names from before 2022.
    """
    rules = weight_and_bias("backbone.embed.project", "conv_proj")
    rules.append(same("backbone.prefix", "class_token"))
    _, h, w = config.position_grid
    ours = ("backbone.position.prefix", "backbone.position.table")
    rules.append(split(ours, "encoder.pos_embedding", lengths=(1, h * w), dim=1))
    for index in range(config.depth):
        block, theirs = f"backbone.blocks.{index}", f"{_LAYERS}{index}"
        for our_layer, their_layer in _BLOCK:
            if uses_old_names:
                their_layer = _OLD_NAMES.get(their_layer, their_layer)
            rules += weight_and_bias(f"{block}.{our_layer}", f"{theirs}.{their_layer}")
        for part in ("weight", "bias"):
            qkv = f"{theirs}.self_attention.in_proj_{part}"
            rules.append(same(f"{block}.attention.qkv.{part}", qkv))
    rules += weight_and_bias("backbone.norm", "encoder.ln")
    if num_classes:
        rules += weight_and_bias("head.classify", "heads.head")
    return rules


def published_as(config: VitConfig) -> tuple[str, Preprocess, str]:
    """The name of a shape, the preprocessing of its first published weights, and that as a note.

    Some shapes have weights that want another preprocessing (``IMAGENET1K_SWAG_LINEAR_V1``); a
    bare file does not say which they are.
    """
    side = config.position_grid[1] * config.patch_size
    name, resize_side = _PUBLISHED.get((config.embed_dim, config.patch_size), ("not stated", side))
    # Weights for other sizes are the SWAG ones, and all of vit_h_14's.
    is_swag = side != 224 or name == "vit_h_14"
    preprocess = Preprocess(
        height=side,
        width=side,
        channels=3,
        fit="crop",
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        resize_side=side if is_swag else resize_side,
        interpolation="bicubic" if is_swag else "bilinear",
    )
    kind = "SWAG" if is_swag else "IMAGENET1K_V1"
    return name, preprocess, f"pictures are prepared as for torchvision's {kind} weights of {name}"


def _their_name(file: WeightFile, layer: str) -> str:
    return layer if f"{_LAYERS}0.{layer}.weight" in file.tensors else _OLD_NAMES[layer]


def _shape(file: WeightFile, name: str, ndim: int) -> tuple[int, ...]:
    found = file.tensors.get(name)
    if found is None or found.ndim != ndim:
        what = "is missing" if found is None else f"has the shape {tuple(found.shape)}"
        raise DataError(
            f"{file.source}: {name} {what}; torchvision's vision transformers have it with {ndim} "
            "axes"
        )
    return tuple(found.shape)
