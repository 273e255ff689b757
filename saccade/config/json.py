"""Configs to JSON and back: typed, complete, and with the nearest name for a misspelt one."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)
from saccade.config.task import (
    ClassifyConfig,
    DetectConfig,
    EmbedConfig,
    GenerateConfig,
    PretrainConfig,
    SegmentConfig,
    TaskConfig,
    TranslateConfig,
    VideoConfig,
)
from saccade.errors import UsageError, nearest

Config = TypeVar("Config")

_FAMILIES = {
    "vit": VitConfig,
    "rag": RagConfig,
    "attncnn": AttentionCnnConfig,
    "cnn": CnnConfig,
}

_JOBS = {
    "classify": ClassifyConfig,
    "video": VideoConfig,
    "detect": DetectConfig,
    "segment": SegmentConfig,
    "pretrain": PretrainConfig,
    "embed": EmbedConfig,
    "generate": GenerateConfig,
    "translate": TranslateConfig,
}


def to_json(config: object) -> dict[str, Any]:
    """A config as nested plain data, every field spelled out."""
    assert is_dataclass(config)
    assert not isinstance(config, type)
    return asdict(config)


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested plain data by dotted names, as ``--set`` takes them."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found


def from_json(config_type: type[Config], data: Mapping[str, Any], *, where: str = "") -> Config:
    """Plain data as a config.

    Args:
        config_type: which dataclass.
        data: one value per field; text is converted where the field is a number. A field that has
            a default may be missing.
        where: the dotted place of ``data`` inside a larger config, for messages.

    Raises:
        UsageError: a key is unknown or missing, or a value has another type.
    """
    types = get_type_hints(config_type)
    names = list(types)
    for key in data:
        if key not in types:
            raise UsageError(f"there is no setting {where}{key}; {nearest(key, names)}")
    missing = [name for name in _required(config_type) if name not in data]
    if missing:
        raise UsageError(f"the config lacks {', '.join(where + name for name in missing)}")
    values = {name: _value(types[name], data[name], where=where + name) for name in data}
    return config_type(**values)


def override(config: Config, settings: Mapping[str, str]) -> Config:
    """A config with some values replaced, as ``--set optim.lr=3e-4`` does.

    Args:
        config: the one to start from; it is not changed.
        settings: dotted names and their values as text.

    Raises:
        UsageError: an unknown name (the nearest is offered) or a value of another type.
    """
    data = to_json(config)
    for name, text in settings.items():
        *path, last = name.split(".")
        inside = data
        for part in path:
            if part not in inside or not isinstance(inside[part], dict):
                raise UsageError(f"there is no setting {name}; {nearest(name, list(flat(data)))}")
            inside = inside[part]
        if last not in inside or isinstance(inside[last], dict):
            raise UsageError(f"there is no setting {name}; {nearest(name, list(flat(data)))}")
        inside[last] = text
    return from_json(type(config), data)


def parse_settings(assignments: list[str]) -> dict[str, str]:
    """``["optim.lr=3e-4"]`` as ``{"optim.lr": "3e-4"}``.

    Raises:
        UsageError: an assignment without ``=``.
    """
    settings = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise UsageError(
                f"--set {assignment} has no value; write it as --set name=value, "
                "for example --set optim.lr=3e-4"
            )
        settings[name.strip()] = text.strip()
    return settings


def _value(kind: Any, value: Any, *, where: str) -> Any:
    if (kind in (ModelConfig, TaskConfig) or is_dataclass(kind)) and not isinstance(value, Mapping):
        raise UsageError(f"{where} is {value!r}: expected a section of names and values")
    if kind == ModelConfig:
        family = _one_of(_FAMILIES, value, key="family", what="family")
        return from_json(family, _with_pool(value), where=f"{where}.")
    if kind == TaskConfig:
        return from_json(_one_of(_JOBS, value, key="job", what="job"), value, where=f"{where}.")
    if is_dataclass(kind):
        return from_json(kind, value, where=f"{where}.")
    if get_origin(kind) is tuple and isinstance(value, str):  # --set model.position_grid=1,8,8
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        converted = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        if get_origin(kind) is Literal:
            choices = get_args(kind)
            raise UsageError(f"{where} is {value!r}; {nearest(str(value), choices)}") from None
        raise UsageError(f"{where} is {value!r}: {_plain(str(error))}") from None
    if isinstance(converted, float) and not math.isfinite(converted):
        raise UsageError(f"{where} is {value!r}: expected a finite number")
    return converted


def _one_of(
    kinds: Mapping[str, type[Any]], value: Mapping[str, Any], *, key: str, what: str
) -> type[Any]:
    """The dataclass that a section names."""
    name = value.get(key)
    if not isinstance(name, str) or name not in kinds:
        raise UsageError(f"no {what} is called {name!r}; {nearest(str(name), kinds)}")
    return kinds[name]


def _with_pool(model: Mapping[str, Any]) -> Mapping[str, Any]:
    """Before ``pool`` was a setting, a class token was what the head read wherever there was one.

    No default can say that, and the mean of the patches would answer without an error, but wrongly.
    """
    if "pool" in model or model.get("has_class_token") is not True:
        return model
    return {**model, "pool": "class"}


def _required(config_type: type[Any]) -> list[str]:
    return [field.name for field in fields(config_type) if field.default is MISSING]


def _plain(message: str) -> str:
    """Msgspec's message without its path, in our words."""
    return message.split(" - at", maxsplit=1)[0].replace("Expected", "expected").replace("`", "")
