"""Settles what tensors alone do not say, or refuses; each assumption becomes a note."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from saccade.errors import DataError

HEADS_OF_WIDTH = {
    64: 2, 96: 3, 192: 3, 256: 4, 320: 5, 384: 6, 512: 8, 640: 10, 768: 12, 832: 13, 896: 14,
    1024: 16, 1152: 16, 1280: 16, 1408: 16, 1536: 24, 1664: 16,
}  # fmt: skip
"""Heads of the published models of each width; the few others are named where they are read."""


def heads_by_width(embed_dim: int, *, source: str) -> int:
    """The heads that published models of this width have.

    Raises:
        DataError: no published model has the width.
    """
    if embed_dim not in HEADS_OF_WIDTH:
        raise DataError(
            f"{source}: tokens are {embed_dim} wide, which no published model is, and the file "
            "does not say how many attention heads they have. State it in a config.json beside it: "
            '{"num_heads": 8}.'
        )
    return HEADS_OF_WIDTH[embed_dim]


def heads_of(config: Mapping[str, Any], embed_dim: int, *, source: str) -> tuple[int, list[str]]:
    """The number of heads, from ``num_heads`` in config.json or else from the width.

    Returns:
        The number, and what to tell the user when it is an assumption.

    Raises:
        DataError: neither settles it.
    """
    stated = config.get("num_heads")
    if stated is None:
        heads = heads_by_width(embed_dim, source=source)
        return heads, [f"{heads} attention heads, as published models {embed_dim} wide have"]
    if not isinstance(stated, int) or isinstance(stated, bool) or stated < 1:
        raise DataError(f"{source}: num_heads is {stated!r} in config.json; expected 1 or more")
    return stated, []


def part_of(config: Mapping[str, Any], name: str, *, source: str) -> Mapping[str, Any]:
    """An object inside config.json; empty where there is none.

    Raises:
        DataError: something else stands there.
    """
    found = config.get(name)
    if found is not None and not isinstance(found, Mapping):
        raise DataError(f"{source}: {name} is {found!r} in config.json; expected an object")
    return found or {}


def count_blocks(tensors: Mapping[str, Tensor], prefix: str) -> int:
    """One more than the largest number after ``prefix`` in the names; gaps show up as missing."""
    numbers = [
        int(number)
        for name in tensors
        if name.startswith(prefix)
        and (number := name.removeprefix(prefix).replace("/", ".").split(".")[0]).isdecimal()
    ]
    return 1 + max(numbers, default=-1)


def square(count: int) -> tuple[int, int] | None:
    """Rows and columns of a square grid of so many cells, if there is one."""
    side = math.isqrt(max(count, 0))
    return (side, side) if side and side * side == count else None


def class_names(
    given: Sequence[str] | Mapping[str, str] | None, num_classes: int, *, source: str
) -> tuple[tuple[str, ...], list[str]]:
    """Class names in the order of the logits; numbers where the file brings none.

    Args:
        given: a list, or names by the number of the class (as a string, as JSON has it).
        num_classes: outputs K of the head.
        source: what the user named, for messages.

    Returns:
        The names, and what to tell the user when they were made up.

    Raises:
        DataError: another number of names than classes, or one name twice.
    """
    if num_classes == 0:
        return (), []
    if given is not None and not isinstance(given, Mapping | list | tuple):
        raise DataError(f"{source}: its class names are {given!r}; expected a list or an object")
    if not given:
        numbers = tuple(f"class {index}" for index in range(num_classes))
        return numbers, ["the file names no classes; they are called class 0, class 1 and so on"]
    if isinstance(given, Mapping):
        wanted = [str(index) for index in range(num_classes)]
        if sorted(given) != sorted(wanted):
            raise DataError(
                f"{source}: its class names are numbered {_range(list(given))}; the head has "
                f"{num_classes} classes"
            )
        names = tuple(str(given[index]) for index in wanted)
    else:
        names = tuple(str(name) for name in given)
    if len(names) != num_classes:
        raise DataError(f"{source}: {len(names)} class names for a head of {num_classes} classes")
    if len(set(names)) < len(names):
        # ImageNet has two "crane" and two "maillot"; each class still needs a name of its own.
        twice = {name for name in names if names.count(name) > 1}
        names = tuple(
            f"{name} ({index})" if name in twice else name for index, name in enumerate(names)
        )
    return names, []


def _range(numbers: list[str]) -> str:
    return f"{numbers[0]} to {numbers[-1]} ({len(numbers)})" if numbers else "not at all"
