"""Pictures and masks of a few pixels, written where a test wants them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SaveMask = Callable[..., None]


@pytest.fixture
def save_mask(tmp_path: Path) -> SaveMask:
    """Writes numbers (or colours, or 16-bit numbers) as a picture below ``tmp_path``."""

    def save(name: str, numbers: object, *, dtype: type = np.uint8, palette: bool = False) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(np.array(numbers).astype(dtype))
        if palette:
            image = image.convert("P")
            image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
        image.save(path)

    return save
