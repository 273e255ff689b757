"""Tensors of which each process of a training holds a part, beside those that each holds whole."""

from typing import TYPE_CHECKING, TypeGuard

import torch
from torch import Tensor

if TYPE_CHECKING:  # slow to import, and seldom needed
    from torch.distributed.tensor import DTensor


def own_part(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor, in the same memory."""
    return tensor.to_local() if is_shared_out(tensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor; where it is shared out, all processes must ask at the same point."""
    return tensor.full_tensor() if is_shared_out(tensor) else tensor


def is_shared_out(tensor: Tensor) -> "TypeGuard[DTensor]":
    """Whether other processes hold parts of it too (a ``DTensor``)."""
    return hasattr(tensor, "full_tensor")


def shared_out_like(value: Tensor, like: Tensor) -> Tensor:
    """A whole tensor shared out as another one is; all processes have the same, and call this."""
    if not is_shared_out(like):
        return value
    from torch.distributed.tensor import distribute_tensor  # noqa: PLC0415

    value = value.to(like.device)
    return distribute_tensor(value, like.device_mesh, like.placements)


def with_part(part: Tensor, like: Tensor) -> Tensor:
    """The tensor that is shared out as ``like`` is, of which this process holds ``part``."""
    if not is_shared_out(like):
        return part
    from torch.distributed.tensor import DTensor  # noqa: PLC0415

    return DTensor.from_local(
        part, like.device_mesh, like.placements, shape=like.shape, stride=like.stride()
    )


@torch.no_grad()
def put(target: Tensor, value: Tensor) -> None:
    """Copies a whole value into a tensor, or into the part of it that is here."""
    own_part(target).copy_(own_part(shared_out_like(value, target)))
