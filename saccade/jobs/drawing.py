"""Pictures with something drawn on them: captions, files, albums of a report."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from saccade.data.samples import Samples
from saccade.jobs.lettering import legible
from saccade.run.folder import RunFolder, write_json

CAPTION_PX = 14
"""The height of the bar under a picture that a caption stands in."""

_TEXT_PX = 10
_SMALLEST_SIDE = 96  # smaller pictures are enlarged, or their caption would not fit
_LARGEST_SIDE = 2048  # no picture is enlarged beyond that: a strip one pixel high would be huge


def drawing_name(number: int, path: str) -> str:
    """The file name for the drawing of input ``number``: names have a limit of 255 bytes."""
    return f"{number:05d}-{Path(path).stem[:60]}.png"


def save_drawing(samples: Samples, number: int, folder: Path, *, caption: str) -> None:
    """Writes the picture of a sample, as it lies on the disk, with a caption under it."""
    i = int(samples.ids[number])
    image = samples.pictures.load(i, channels=3, min_side=None)
    captioned(image, caption).save(folder / drawing_name(number, samples.pictures.name(i)))


def enlargement(width: int, height: int, *, smallest: int) -> int:
    """The whole factor by which a picture is enlarged for people: 1 where it is large enough.

    Args:
        width, height: of the picture in pixels.
        smallest: that the shorter side shall have, as far as the longer one allows.
    """
    return max(1, min(-(-smallest // min(width, height)), _LARGEST_SIDE // max(width, height)))


def captioned(image: UInt8[np.ndarray, "H W C"], caption: str) -> Image.Image:
    """The picture, enlarged where it is tiny, with a line of text under it."""
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).convert("RGB")
    factor = enlargement(*picture.size, smallest=_SMALLEST_SIDE)
    picture = picture.resize(
        (picture.width * factor, picture.height * factor), Image.Resampling.NEAREST
    )
    whole = Image.new("RGB", (picture.width, picture.height + CAPTION_PX), "white")
    whole.paste(picture)
    pen = ImageDraw.Draw(whole)
    shown, font = legible(caption, _TEXT_PX)
    pen.text((2, picture.height), shown, fill="black", font=font)
    return whole


class Album:
    """The pictures of a report: numbered PNG files, and an index that says what they show.

    Args:
        folder: of the run; ``pictures/`` must exist and be empty.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._count = 0
        self._galleries: dict[str, dict[str, Any]] = {}

    def save(self, image: UInt8[np.ndarray, "H W C"] | Image.Image, what: str) -> str:
        """Writes a PNG; returns its path inside the run folder."""
        self._count += 1
        path = self._folder.pictures / f"{what}-{self._count:03d}.png"
        png = io.BytesIO()
        if not isinstance(image, Image.Image):
            image = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
        image.save(png, "PNG")
        path.write_bytes(png.getvalue())
        return path.relative_to(self._folder.path).as_posix()

    def gallery(
        self, name: str, *, title: str, text: str, entries: Sequence[dict[str, str]]
    ) -> None:
        """Adds a gallery to the report.

        Args:
            name: one word, for links.
            title: its heading.
            text: how to read it, in a sentence or two.
            entries: ``file`` (from ``save``), ``caption`` and, where there is one, ``path``.
        """
        self._galleries[name] = {"title": title, "text": text, "entries": list(entries)}

    def close(self) -> None:
        """Writes the index."""
        write_json(self._folder.pictures / "index.json", self._galleries)
