"""Weights in one safetensors file, with the contract in its header."""

from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor, nn

from saccade.errors import SaccadeError, UsageError
from saccade.run.folder import write_atomic


def save_weights(path: Path, task: nn.Module, *, header: Mapping[str, str]) -> None:
    """Writes a task's weights, atomically.

    Raises:
        SaccadeError: the disk is full, or the like.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in task.state_dict().items()}
    try:
        write_atomic(path, safetensors.torch.save(tensors, metadata=dict(header)))
    except OSError as error:
        reason = error.strerror or str(error)
        raise SaccadeError(f"could not write {path}: {reason}; make room and try again") from error


def load_weights(path: Path, task: nn.Module) -> None:
    """Reads weights into a task of exactly the same shape.

    Raises:
        UsageError: the file is missing or damaged, or its tensors are not the task's; both sides
            are listed.
    """
    if not path.is_file():
        raise UsageError(
            f"there are no weights at {path}; did training get to its first evaluation?"
        )
    try:
        tensors = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        size = path.stat().st_size
        raise UsageError(f"{path} ({size} bytes) is damaged: {error}; restore it") from None
    _require_same(task.state_dict(), tensors, path=path)
    task.load_state_dict(tensors)


def _require_same(
    expected: Mapping[str, Tensor], given: Mapping[str, Tensor], *, path: Path
) -> None:
    lines = [f"  - {name} {list(t.shape)}" for name, t in expected.items() if name not in given]
    lines += [f"  + {name} {list(t.shape)}" for name, t in given.items() if name not in expected]
    lines += [
        f"  ~ {name}: model {list(t.shape)}, file {list(given[name].shape)}"
        for name, t in expected.items()
        if name in given and t.shape != given[name].shape
    ]
    if lines:
        raise UsageError(
            f"{path} does not fit the model (- only the model, + only the file, ~ another shape):\n"
            + "\n".join(lines[:40])
        )
