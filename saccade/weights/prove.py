"""Proves that a file holds a whole model: every tensor, in its shape, with finite numbers."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from saccade.errors import DataError

_DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def prove_complete(
    theirs: Mapping[str, Tensor], wanted: Mapping[str, Tensor], *, source: str
) -> None:
    """Returns when the file holds what the model needs, and nothing else.

    Args:
        theirs: the tensors of the file.
        wanted: tensors of the same names and shapes as a complete file has; values do not matter.
        source: what the user named, for messages.

    Raises:
        DataError: names or shapes differ (both sides are listed), a tensor is quantised, or holds
            a NaN or an infinity.
    """
    _prove_names(theirs, wanted, source=source)
    _prove_shapes(theirs, wanted, source=source)
    _prove_numbers(theirs, source=source)


def listed(names: Sequence[str] | Mapping[str, object], *, limit: int = 12) -> str:
    """The first names of many, and how many more there are."""
    shown = sorted(names)[:limit]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _prove_names(
    theirs: Mapping[str, Tensor], wanted: Mapping[str, Tensor], *, source: str
) -> None:
    unknown = [name for name in theirs if name not in wanted]
    missing = [name for name in wanted if name not in theirs]
    if not unknown and not missing:
        return
    raise DataError(
        f"{source}: its tensors are not those of the model it describes. "
        f"In the file but not in the model: {listed(unknown) or 'none'}. "
        f"In the model but not in the file: {listed(missing) or 'none'}. "
        "Nothing was loaded. What you do not need can be dropped by name, as in "
        'leave_out=["decoder.*"].'
    )


def _prove_numbers(theirs: Mapping[str, Tensor], *, source: str) -> None:
    for name, tensor in theirs.items():
        if tensor.dtype not in _DTYPES:
            raise DataError(
                f"{source}: {name} is stored as {str(tensor.dtype).removeprefix('torch.')}; "
                "weights are read as float32, float16, bfloat16 or float64, not quantised"
            )
        if not torch.isfinite(tensor).all():
            raise DataError(
                f"{source}: {name} holds numbers that are not finite (NaN or infinity). The file "
                "is damaged, or its training diverged: fetch it again."
            )


def _prove_shapes(
    theirs: Mapping[str, Tensor], wanted: Mapping[str, Tensor], *, source: str
) -> None:
    wrong = [
        f"{name} is {tuple(theirs[name].shape)} in the file and {tuple(wanted[name].shape)} in "
        "the model"
        for name in wanted
        if theirs[name].shape != wanted[name].shape
    ]
    if wrong:
        more = f" (and {len(wrong) - 4} more)" if len(wrong) > 4 else ""
        raise DataError(
            f"{source}: shapes differ: {'; '.join(wrong[:4])}{more}. Nothing was loaded."
        )
