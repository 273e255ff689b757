"""Everything a run needs to go on as if it had never stopped, on disk, whole or not at all.

A checkpoint is a folder ``checkpoints/step-00001200`` with

    tensors.safetensors   weights, averages and the optimiser's state
    state.json            step, progress, best figure, running sums; floats survive JSON exactly
    manifest.json         the SHA-256 of the two

It is written beside its final place, flushed to the disk, and renamed; a rename is all or nothing.
No random state is stored, since every random choice is a function of seed, epoch, step and picture.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
from torch import Tensor

from saccade.errors import SaccadeError
from saccade.run.folder import sync_folder

KEEP = 2
"""How many checkpoints stay; the older one serves when the newest is damaged."""

TENSORS, STATE, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"


class Checkpoint(NamedTuple):
    """What ``load_latest`` found.

    Attributes:
        tensors: by name.
        state: plain data.
        damaged: names of newer checkpoints whose hashes did not match and which were passed over.
    """

    tensors: dict[str, Tensor]
    state: dict[str, Any]
    damaged: tuple[str, ...]


def save(
    folder: Path, *, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]
) -> None:
    """Saves a checkpoint and removes all but the newest ``KEEP``.

    Args:
        folder: where checkpoints of this run lie; made when missing.
        step: the optimiser steps made so far; names the checkpoint.
        tensors: on any device.
        state: plain data that JSON can hold.

    Raises:
        SaccadeError: the disk is full or refuses; the earlier checkpoints are untouched.
    """
    name = _name(step)
    temporary = folder / f".{name}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        temporary.mkdir()
        files = {
            TENSORS: safetensors.torch.save(_distinct(tensors)),
            STATE: json.dumps(state).encode(),
        }
        hashes = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
        files[MANIFEST] = json.dumps(hashes).encode()
        for file, content in files.items():
            _write(temporary / file, content)
        sync_folder(temporary)
        _put_in_place(temporary, folder / name)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise SaccadeError(_cannot_save(folder, step, error)) from error
    for old in checkpoints(folder)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def load_latest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint whose hashes are right; None when there never was one.

    Raises:
        SaccadeError: there are checkpoints, and all of them are damaged.
    """
    damaged: list[str] = []
    for path in reversed(checkpoints(folder)):
        files = _intact(path)
        if files is not None:
            tensors = safetensors.torch.load(files[TENSORS])
            return Checkpoint(tensors, json.loads(files[STATE]), tuple(damaged))
        damaged.append(path.name)
    if damaged:
        raise SaccadeError(
            f"every checkpoint in {folder} is damaged ({', '.join(damaged)}): the hashes in "
            f"{MANIFEST} do not match the files. Restore one from a backup, or train anew"
        )
    return None


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    named = [path for path in folder.glob("step-*") if path.name[5:].isdecimal()]
    return sorted(named, key=lambda path: int(path.name[5:]))


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _put_in_place(temporary: Path, final: Path) -> None:
    if final.exists():
        # The same step again, after a resume. What is there and whole is never touched: while it
        # was being removed, there would be nothing.
        if _intact(final) is not None:
            shutil.rmtree(temporary)
            return
        shutil.rmtree(final)
    temporary.rename(final)
    sync_folder(final.parent)


def _intact(path: Path) -> dict[str, bytes] | None:
    try:
        hashes = json.loads((path / MANIFEST).read_bytes())
        files = {name: (path / name).read_bytes() for name in (TENSORS, STATE)}
    except (OSError, ValueError):
        return None
    right = all(hashlib.sha256(files[name]).hexdigest() == hashes.get(name) for name in files)
    return files if right else None


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove_leftovers(folder: Path) -> None:
    """What an earlier process was writing when it was killed."""
    for leftover in folder.glob(".step-*.tmp"):
        shutil.rmtree(leftover)


def _distinct(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU and dense; safetensors refuses tensors of another memory order."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _cannot_save(folder: Path, step: int, error: OSError) -> str:
    reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
    there = checkpoints(folder) if folder.exists() else []
    intact = f"the checkpoint {there[-1].name} is intact" if there else "nothing was saved before"
    return (
        f"could not save step {step} in {folder}: {reason}; {intact}. Make room (or choose another "
        "disk) and continue with --resume"
    )
