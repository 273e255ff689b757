"""By what a model and a file are known again: hashes."""

import hashlib
from pathlib import Path

import torch

from saccade.errors import DataError
from saccade.serving.engine import Engine


def model_hash(engine: Engine) -> str:
    """A SHA-256 over all weights and the preprocessing.

    Vectors of two models have nothing to do with each other, and neither have those of one model
    that was given pictures of two sizes.
    """
    found = hashlib.sha256(repr(engine.preprocess).encode())
    for name, tensor in sorted(engine.task.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        found.update(flat.view(torch.uint8).numpy().data)
    return found.hexdigest()


def file_hash(path: Path) -> str:
    """A SHA-256 over the bytes of a file.

    Raises:
        DataError: it is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); restore it") from None


def require_whole(folder: Path, hashes: dict[str, str]) -> None:
    """Checks every file of a folder against the hash it was written with.

    Raises:
        DataError: one is missing or was changed; the message names it.
    """
    for name, expected in hashes.items():
        if file_hash(folder / name) != expected:
            raise DataError(
                f"{folder / name} is damaged: it is not the file that was written; make the "
                "folder anew, or restore it from a copy"
            )
