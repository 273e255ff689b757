"""Names of tensors, theirs and ours: one table of rules that is read in both directions.

A family of another library is a list of ``Rule``. Reading uses each rule forwards, writing uses
it backwards, and the backwards direction, applied to empty tensors of our task, also says which
names and shapes a complete file of theirs must have. So one table decides what is read, what is
written and what is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.errors import UsageError
from saccade.weights.prove import listed, prove_complete

Tensors = list[Tensor]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Some of our tensors, some of theirs that hold the same numbers, and how to go between.

    Attributes:
        ours, theirs: names, in the order that the functions take and return the tensors.
        read: their tensors to ours.
        write: ours to theirs; the exact inverse of ``read``. It has to work on meta tensors.
    """

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    read: Callable[[Tensors], Tensors]
    write: Callable[[Tensors], Tensors]


@dataclass(frozen=True, kw_only=True)
class Unused:
    """Tensors that files of a family hold and that its model does not use.

    Attributes:
        pattern: of their names, with ``*``.
        why: half a sentence for the user, such as ``"the pooler; the classifier skips it"``.
    """

    pattern: str
    why: str


class Renamed(NamedTuple):
    """Tensors in our names, and what the user should hear about the others."""

    tensors: dict[str, Tensor]
    notes: tuple[str, ...]


def read_tensors(
    theirs: Mapping[str, Tensor],
    *,
    rules: Sequence[Rule],
    blank: Mapping[str, Tensor],
    source: str,
    unused: Sequence[Unused] = (),
) -> Renamed:
    """Turns a whole file of theirs into our tensors, or refuses it.

    Args:
        theirs: every tensor of the file, without those that the user left out.
        rules: of the family, for exactly this shape of model.
        blank: our task's tensors by name, without values; see ``saccade.weights.blank``.
        source: what the user named, for messages.
        unused: what this family's files may hold beside its model.

    Returns:
        Every tensor of ``blank``, as float32.

    Raises:
        DataError: the file holds a tensor that no rule uses, or lacks one, or one has another
            shape, is quantised, or holds a NaN or an infinity.
    """
    notes = []
    kept = dict(theirs)
    for each in unused:
        dropped = [name for name in kept if fnmatchcase(name, each.pattern)]
        if dropped:
            notes.append(f"not read, no part of this model: {listed(dropped)} ({each.why})")
        kept = {name: tensor for name, tensor in kept.items() if name not in dropped}

    wanted = write_tensors(blank, rules=rules)
    prove_complete(kept, wanted, source=source)

    dtypes = sorted({str(each.dtype).removeprefix("torch.") for each in kept.values()})
    if dtypes and dtypes != ["float32"]:
        notes.append(f"stored as {', '.join(dtypes)}; computed with as float32")
    tensors: dict[str, Tensor] = {}
    for rule in rules:
        read = rule.read([kept[name].to(torch.float32) for name in rule.theirs])
        tensors.update(zip(rule.ours, read, strict=True))
    for name, empty in blank.items():
        if empty.numel() == 0:  # the prefix of a model without prefix tokens: nothing to read
            tensors[name] = torch.zeros(empty.shape)
    return Renamed({name: tensors[name].contiguous() for name in blank}, tuple(notes))


def write_tensors(ours: Mapping[str, Tensor], *, rules: Sequence[Rule]) -> dict[str, Tensor]:
    """Turns our tensors into theirs; meta tensors give the shapes that theirs must have.

    Tensors without elements (the prefix of a model without prefix tokens) need no rule.

    Raises:
        UsageError: our values cannot be said in their layout.
    """
    named = [name for rule in rules for name in rule.ours]
    filled = [name for name, tensor in ours.items() if tensor.numel()]
    assert sorted(named) == sorted(filled), sorted(set(named) ^ set(filled))
    tensors: dict[str, Tensor] = {}
    for rule in rules:
        written = rule.write([ours[name] for name in rule.ours])
        for name, tensor in zip(rule.theirs, written, strict=True):
            assert name not in tensors, f"two rules write {name}"
            tensors[name] = tensor.contiguous()
    return tensors


def without(
    theirs: Mapping[str, Tensor], patterns: Sequence[str], *, source: str
) -> dict[str, Tensor]:
    """The tensors without those that the user agrees to drop.

    Args:
        theirs: every tensor of the file.
        patterns: of their names, with ``*``: ``"decoder.*"``.
        source: what the user named, for messages.

    Raises:
        UsageError: a pattern matches nothing, so it is a slip of the pen.
    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in theirs):
            raise UsageError(
                f"{source}: leave_out {pattern!r} matches none of its tensors. It holds "
                f"{listed(theirs)}."
            )
    return {
        name: tensor
        for name, tensor in theirs.items()
        if not any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def same(ours: str, theirs: str) -> Rule:
    """One tensor under another name."""
    return Rule(ours=(ours,), theirs=(theirs,), read=_keep, write=_keep)


def weight_and_bias(ours: str, theirs: str, *, has_bias: bool = True) -> list[Rule]:
    """A linear, convolutional or norm layer under another name."""
    parts = ("weight", "bias") if has_bias else ("weight",)
    return [same(f"{ours}.{part}", f"{theirs}.{part}") for part in parts]


def changed(
    ours: str,
    theirs: str,
    *,
    read: Callable[[Tensor], Tensor],
    write: Callable[[Tensor], Tensor],
) -> Rule:
    """One tensor laid out differently: transposed, flattened, scaled.

    Args:
        ours, theirs: the names.
        read: theirs to ours.
        write: its exact inverse.
    """
    return Rule(
        ours=(ours,),
        theirs=(theirs,),
        read=lambda tensors: [read(tensors[0])],
        write=lambda tensors: [write(tensors[0])],
    )


def stacked(ours: str, theirs: Sequence[str | None], *, dim: int = 0) -> Rule:
    """One tensor of ours that they keep in equal parts, such as queries, keys and values.

    Args:
        ours: the name of the whole.
        theirs: the names of the parts, in order; None for a part that they do not have and that
            is zero for them, such as the bias of keys.
        dim: along which the parts follow each other.
    """
    names = tuple(name for name in theirs if name is not None)

    def read(parts: Tensors) -> Tensors:
        given = iter(parts)
        zeros = torch.zeros_like(parts[0])
        return [torch.cat([zeros if name is None else next(given) for name in theirs], dim)]

    def write(whole: Tensors) -> Tensors:
        parts = whole[0].chunk(len(theirs), dim)
        for name, part in zip(theirs, parts, strict=True):
            if name is None and not part.is_meta and bool(part.any()):
                raise UsageError(
                    f"{ours} cannot be written beside {names[0]}: that layout has no place for "
                    f"part {theirs.index(None) + 1} of {len(theirs)}, and it is not zero here"
                )
        return [part for name, part in zip(theirs, parts, strict=True) if name is not None]

    return Rule(ours=(ours,), theirs=names, read=read, write=write)


def joined(ours: str, theirs: Sequence[str], *, lengths: Sequence[int], dim: int) -> Rule:
    """One tensor of ours that they keep in parts of the given lengths, such as prefix tokens."""
    return Rule(
        ours=(ours,),
        theirs=tuple(theirs),
        read=lambda parts: [torch.cat(parts, dim)],
        write=lambda whole: list(whole[0].split(list(lengths), dim)),
    )


def split(ours: Sequence[str], theirs: str, *, lengths: Sequence[int], dim: int) -> Rule:
    """One tensor of theirs that we keep in parts, such as positions of prefix and patches."""
    whole = joined(theirs, ours, lengths=lengths, dim=dim)
    return Rule(ours=whole.theirs, theirs=whole.ours, read=whole.write, write=whole.read)


def _keep(tensors: Tensors) -> Tensors:
    return tensors
