"""Many vectors as one plain ``.npy`` file, written and read without holding them in memory."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32

from saccade.errors import DataError


def write_rows(path: Path, parts: Iterable[Float32[np.ndarray, "_n D"]], *, width: int) -> None:
    """Writes parts one after the other, over whatever is there.

    Args:
        path: of the file.
        parts: any number of them, also none; only one at a time is asked for.
        width: numbers in a vector.
    """
    with path.open("wb") as file:
        _write_header(file, count=0, width=width)
        start, count = file.tell(), 0
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype="<f4").data)
            count += len(part)
        file.seek(0)
        _write_header(file, count=count, width=width)  # padded, so it is as long as the first
        assert file.tell() == start


def open_rows(path: Path) -> Float32[np.ndarray, "n D"]:
    """Vectors that stay on disk until they are looked at.

    Raises:
        DataError: the file is missing, cut off, or holds something else.
    """
    try:
        # Mode c: pages of the file itself, and torch does not complain that they are read-only.
        found = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as vectors ({error})") from None
    if found.ndim != 2 or found.dtype != np.float32:
        raise DataError(
            f"{path} holds {found.dtype} of shape {found.shape}; expected float32, a row per vector"
        )
    return found


def _write_header(file: BinaryIO, *, count: int, width: int) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, width)}
    np.lib.format.write_array_header_1_0(file, header)
