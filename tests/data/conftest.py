"""Tiny worlds of pictures for the tests of this folder."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WritePictures = Callable[..., None]


@pytest.fixture
def write_pictures(tmp_path: Path) -> WritePictures:
    """Writes a small picture, each of another colour, to every given path below ``tmp_path``."""

    def write(*names: str, size: tuple[int, int] = (9, 7)) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            colour = tuple(hash_of(name)[:3])
            Image.new("RGB", size, colour).save(path)

    return write


def hash_of(name: str) -> bytes:
    """A few bytes that differ from name to name."""
    return np.random.default_rng(list(name.encode())).bytes(4)


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Turns a Pillow image into the bytes of a file."""

    def to_bytes(image: Image.Image, file_format: str, **options: object) -> bytes:
        file = io.BytesIO()
        image.save(file, file_format, **options)
        return file.getvalue()

    return to_bytes


@pytest.fixture
def photograph() -> Image.Image:
    """A 40 x 24 RGB picture without any symmetry, smooth as JPEG likes it."""
    y, x = np.mgrid[:24, :40]
    rows = np.stack([6 * x, 10 * y, 255 - 3 * x - 4 * y], axis=-1)
    return Image.fromarray(rows.clip(0, 255).astype(np.uint8))
