"""What the name of a timm model settles and its tensors do not: heads, activation, epsilon.

timm builds a model from its name and writes only that and the deviations (``model_args``) into
config.json. These few rules were compared with every plain vision transformer of timm 1.0.31; the
parity tests repeat that with the timm they find.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saccade.config.model import Activation
from saccade.errors import DataError
from saccade.weights.settle import heads_by_width, part_of

_FAMILIES = re.compile(
    r"vit_(xsmall|tiny|wee|little|small|medium|mediumd|betwixt|base|large|huge|giant|giantopt"
    r"|gigantic|so150m|so150m2|so400m)_patch\d+"
    r"(_(\d+|36x1|clip|quickgelu|plus|siglip|gap|reg\d+|dinov2|tipsv2|miil))*"
    r"|deit3?_(tiny|small|medium|base|large|huge)(_distilled)?_patch\d+_\d+"
    r"|eva_large_patch14_\d+|flexivit_(small|base|large)|test_vit2?"
)

# Other models with names of the same pattern; some even have tensors of the same names, and
# compute something else. Named here, the message can say what is in the way.
_OTHER = {
    "rpn": "its blocks normalise after each branch, not before",
    "18x2": "its blocks run two branches in parallel",
    "xp": "its attention and MLP run in parallel",
    "relpos": "it has relative positions",
    "srelpos": "it has relative positions",
    "radio": "it has no final norm",
    "map": "it pools by attention",
    "rope": "its positions are rotary",
    "dinov3": "its positions are rotary, in timm's layout; take the copy in transformers' layout",
    "lingbot": "its positions are rotary",
    "sapiens2": "its positions are rotary",
}

_GELU_TANH = re.compile(
    r"vit_(base_patch32_siglip(_gap)?_256|large_patch16_siglip(_gap)?_512|giantopt_|"
    r"so400m_patch16_siglip)"
)

# Arguments that the tensors show, or that only training reads.
_SHOWN = {
    "img_size", "patch_size", "in_chans", "num_classes", "embed_dim", "depth", "mlp_ratio",
    "qkv_bias", "qk_norm", "init_values", "class_token", "pos_embed", "no_embed_class",
    "reg_tokens", "pre_norm", "final_norm", "fc_norm", "dynamic_img_size", "dynamic_img_pad",
    "drop_rate", "pos_drop_rate", "patch_drop_rate", "proj_drop_rate", "attn_drop_rate",
    "drop_path_rate", "weight_init", "fix_init", "features_only", "out_indices",
}  # fmt: skip
_READ = {"num_heads", "act_layer", "global_pool", "norm_layer"}

_ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_tanh": "gelu_tanh",
    "quick_gelu": "quick_gelu",
    "silu": "silu",
    "swish": "silu",
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What config.json says about a model beside its tensors.

    Attributes:
        num_heads: A.
        activation: of the MLP.
        norm_eps: of every norm.
        notes: what was assumed.
    """

    num_heads: int
    activation: Activation
    norm_eps: float
    notes: tuple[str, ...]


def facts(
    config: Mapping[str, Any], *, embed_dim: int, is_gated: bool, is_clip: bool, source: str
) -> Facts:
    """Reads the name and its ``model_args``; without a name, what most published models have.

    Args:
        config: config.json, or empty.
        embed_dim: the width D, from the tensors.
        is_gated: whether the MLP is gated, from the tensors.
        is_clip: whether the tokens are normalised before the first block, as in CLIP.
        source: what the user named, for messages.

    Raises:
        DataError: the model is none that this reads, or an argument changes what it computes.
    """
    name = str(config.get("architecture", "")).split(".")[0]
    arguments = part_of(config, "model_args", source=source)
    notes: list[str] = []
    if name:
        require_plain(name, source=source)
    elif is_clip:
        raise DataError(
            f"{source}: models of the CLIP kind differ in their activation, which the tensors do "
            "not show. State the model in a config.json beside them: "
            '{"architecture": "vit_base_patch16_clip_224"}.'
        )
    else:
        notes.append("no config.json names the model; a plain one of timm is assumed")
    _require_known(arguments, source=source)

    heads = arguments.get("num_heads", config.get("num_heads"))
    if heads is None:
        heads = _heads(name, embed_dim, source=source)
        if not name:
            notes.append(f"{heads} attention heads, as published models {embed_dim} wide have")
    if not isinstance(heads, int) or isinstance(heads, bool) or heads < 1:
        raise DataError(f"{source}: num_heads is {heads!r} in config.json; expected 1 or more")
    return Facts(
        num_heads=heads,
        activation=_activation(name, arguments, is_gated=is_gated, source=source),
        norm_eps=1e-5 if "_clip_" in name else 1e-6,
        notes=tuple(notes),
    )


def require_plain(name: str, *, source: str) -> None:
    """Returns for the name of a plain vision transformer of timm.

    Raises:
        DataError: it is another model; the message says what is in the way.
    """
    for part in name.split("_"):
        if part in _OTHER:
            raise DataError(f"{source} is timm's {name}, which cannot be read: {_OTHER[part]}")
    if not _FAMILIES.fullmatch(name):
        raise DataError(
            f"{source} is timm's {name}, which is no plain vision transformer. Known are vit_*, "
            "deit_*, deit3_*, eva_large_patch14_* and flexivit_*."
        )


def _heads(name: str, embed_dim: int, *, source: str) -> int:
    if name.startswith("vit_base_patch16_gap_224") or "_giantopt_" in f"_{name}":
        return 16  # their width would say 12 and 24
    return heads_by_width(embed_dim, source=source)


def _activation(
    name: str, arguments: Mapping[str, Any], *, is_gated: bool, source: str
) -> Activation:
    given = arguments.get("act_layer")
    if given is not None:
        if given not in _ACTIVATIONS:
            raise DataError(
                f"{source}: act_layer is {given!r}; known are {', '.join(sorted(_ACTIVATIONS))}"
            )
        return _ACTIVATIONS[given]
    if is_gated:
        return "silu"
    if "quickgelu" in name:
        return "quick_gelu"
    return "gelu_tanh" if _GELU_TANH.match(name) else "gelu"


def _require_known(arguments: Mapping[str, Any], *, source: str) -> None:
    unknown = sorted(set(arguments) - _SHOWN - _READ)
    if unknown:
        raise DataError(
            f"{source}: config.json builds its model with {', '.join(unknown)}, and what that "
            "changes is not known here"
        )
    norm = arguments.get("norm_layer")
    if norm not in (None, "layernorm"):
        raise DataError(f"{source}: norm_layer is {norm!r}; only 'layernorm' can be read")
