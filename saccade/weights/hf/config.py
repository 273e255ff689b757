"""A config.json of transformers: its keys with their types, and what the library does not write.

That library stores only what differs from a family's defaults, so each family brings a table of
them. Nothing in the file is trusted: a key of another type, or a number that no model has, is
refused with its name before anything is built from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from saccade.config.model import Activation, VitConfig
from saccade.errors import DataError
from saccade.weights.rename import Rule, Unused

MOST = 65_536
"""The largest width or picture side that is taken seriously."""

MOST_BLOCKS = 1_000

_ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "quick_gelu": "quick_gelu",
    "silu": "silu",
    "swish": "silu",
}
_THEIR_ACTIVATIONS: dict[Activation, str] = {
    "gelu": "gelu",
    "gelu_tanh": "gelu_pytorch_tanh",
    "quick_gelu": "quick_gelu",
    "silu": "silu",
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one of their models is written down.

    Attributes:
        model: its shape in our words.
        rules: one or more for each of its tensors.
        unused: tensors that its files may hold beside it.
    """

    model: VitConfig
    rules: Sequence[Rule]
    unused: Sequence[Unused] = ()


@dataclass(frozen=True, kw_only=True)
class Description:
    """A file of theirs as its config.json and the names in it describe it.

    Attributes:
        given: config.json.
        defaults: of the keys that the family reads.
        tensors: by their published names.
        left_out: names that the user agreed to drop.
        source: what the user named, for messages.
    """

    given: Mapping[str, Any]
    defaults: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    left_out: frozenset[str]
    source: str

    @property
    def architecture(self) -> str:
        """The class that wrote the file, such as ``ViTForImageClassification``."""
        names = self.given.get("architectures")
        if isinstance(names, list) and names and isinstance(names[0], str):
            return names[0]
        return str(self.given.get("model_type"))

    def integer(self, key: str, *, at_most: int = MOST) -> int:
        """A count or size from 0 to ``at_most``."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= at_most:
            raise self._wrong(key, f"a whole number from 0 to {at_most}")
        return value

    def positive(self, key: str, *, at_most: int = MOST) -> int:
        """A count or size from 1 to ``at_most``."""
        if self.integer(key, at_most=at_most) == 0:
            raise self._wrong(key, f"a whole number from 1 to {at_most}")
        return self.integer(key, at_most=at_most)

    def number(self, key: str) -> float:
        """A number from 0 on."""
        value = self._value(key)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= MOST:
            raise self._wrong(key, f"a number from 0 to {MOST}")
        return float(value)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._value(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def sides(self, key: str) -> tuple[int, int]:
        """A height and a width in pixels; one number stands for both."""
        value = self._value(key)
        pair = value if isinstance(value, (list, tuple)) else [value, value]
        if len(pair) != 2 or not all(type(each) is int and 1 <= each <= MOST for each in pair):
            raise self._wrong(key, f"one or two whole numbers from 1 to {MOST}")
        return pair[0], pair[1]

    def activation(self) -> Activation:
        """What bends the hidden layer of the MLP."""
        value = self._value("hidden_act")
        if not isinstance(value, str) or value not in _ACTIVATIONS:
            raise self._wrong("hidden_act", f"one of {', '.join(_ACTIVATIONS)}")
        return _ACTIVATIONS[value]

    def require(self, key: str, expected: object, *, why: str) -> None:
        """Refuses a setting that our models cannot follow."""
        if self._value(key) != expected:
            raise DataError(
                f"{self.source}: config.json has {key} = {self._value(key)!r}, and saccade reads "
                f"only {expected!r}: {why}"
            )

    def prefix(self, inner: str) -> str:
        """``inner.`` where the model is a part of a larger one, else nothing."""
        return f"{inner}." if any(name.startswith(f"{inner}.") for name in self.tensors) else ""

    def has_head(self, name: str, *, architectures: Sequence[str]) -> bool:
        """Whether a linear layer is in the file, or missing from one that promises it.

        Args:
            name: of the layer.
            architectures: the classes that have it.
        """
        parts = {f"{name}.weight", f"{name}.bias"}
        if not parts.isdisjoint(self.tensors):
            return True
        is_promised = self.architecture in architectures and self.num_labels() > 0
        return is_promised and not parts <= self.left_out

    def num_labels(self) -> int:
        """Classes, as config.json counts them."""
        id2label = self.given.get("id2label")
        if isinstance(id2label, dict):
            return len(id2label)
        count = self.given.get("num_labels", 2)  # what that library takes when it says nothing
        if type(count) is not int or not 0 <= count <= 10_000_000:
            raise self._wrong("num_labels", "a whole number")
        return count

    def _value(self, key: str) -> Any:
        return self.given[key] if key in self.given else self.defaults[key]

    def _wrong(self, key: str, expected: str) -> DataError:
        return DataError(
            f"{self.source}: config.json has {key} = {self._value(key)!r}; expected {expected}"
        )


def plain_vit(described: Description, *, hidden_dim: int) -> VitConfig:
    """What all these families have in common; each replaces what it has otherwise.

    Args:
        described: the file.
        hidden_dim: of the MLP.

    Raises:
        DataError: a number that no model has, or a part that ours do not.
    """
    width = described.positive("hidden_size")
    heads = described.positive("num_attention_heads")
    if width % heads:
        raise DataError(
            f"{described.source}: config.json has hidden_size = {width} and num_attention_heads = "
            f"{heads}; the heads must share the width evenly"
        )
    described.require("num_channels", 3, why="pictures are read as RGB")
    height, image_width = described.sides("image_size")
    patch_height, patch_width = described.sides("patch_size")
    if patch_height != patch_width or patch_height > min(height, image_width):
        raise DataError(
            f"{described.source}: config.json has patches of {patch_height} x {patch_width} pixels "
            f"in pictures of {height} x {image_width}; expected squares that fit into the picture"
        )
    return VitConfig(
        embed_dim=width,
        depth=described.positive("num_hidden_layers", at_most=MOST_BLOCKS),
        num_heads=heads,
        mlp_ratio=hidden_dim / width,
        patch_size=patch_height,
        stem="patches",
        position="learned",
        residual="prenorm",
        num_registers=0,
        has_class_token=True,
        drop_path=0.0,
        position_grid=(1, height // patch_height, image_width // patch_height),
        num_prefix_positions=1,
        position_antialias=False,
        activation=described.activation(),
        norm_eps=described.number("layer_norm_eps"),
        pool="class",
    )


def hidden_dim(model: VitConfig) -> int:
    """The width of the MLP's hidden layer."""
    return round(model.embed_dim * model.mlp_ratio)


def plain_config(model: VitConfig) -> dict[str, Any]:
    """The keys of config.json that ``plain_vit`` reads."""
    patch_size = model.patch_size
    height, width = model.position_grid[1] * patch_size, model.position_grid[2] * patch_size
    return {
        "hidden_size": model.embed_dim,
        "num_hidden_layers": model.depth,
        "num_attention_heads": model.num_heads,
        "hidden_act": _THEIR_ACTIVATIONS[model.activation],
        "layer_norm_eps": model.norm_eps,
        "image_size": height if height == width else [height, width],
        "patch_size": patch_size,
        "num_channels": 3,
    }


def differences(ours: VitConfig, theirs: VitConfig, *, has_head: bool) -> list[str]:
    """Half-sentences on what a model of theirs would do otherwise, at the size of its positions.

    Args:
        ours: the model that there is.
        theirs: the one that they would build.
        has_head: whether it answers with classes; without, how it pools does not matter.
    """
    ours, theirs = _comparable(ours, has_head=has_head), _comparable(theirs, has_head=has_head)
    return [
        f"{name} is {getattr(ours, name)!r} here and {getattr(theirs, name)!r} there"
        for name in ours.__dataclass_fields__
        if getattr(ours, name) != getattr(theirs, name)
    ]


def _comparable(model: VitConfig, *, has_head: bool) -> VitConfig:
    """The same model, with what changes none of its outputs set to one value."""
    is_learned, is_rotary = model.position == "learned", model.position == "rotary"
    return replace(
        model,
        mlp_ratio=hidden_dim(model) / model.embed_dim,
        drop_path=0.0,
        attention="auto",
        num_global_blocks=model.num_global_blocks if model.window_size else 0,
        position_grid=model.position_grid if is_learned else (1, 1, 1),
        position_antialias=True,
        num_prefix_positions=model.num_prefix_positions if is_learned else 0,
        rotary_base=model.rotary_base if is_rotary else 1.0,
        pooled_norm_eps=model.pooled_norm_eps if model.final_norm == "pooled" else 1.0,
        pool=model.pool if has_head else "mean",
    )
