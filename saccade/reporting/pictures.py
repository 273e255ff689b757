"""PNG files of a run folder, put inside the page."""

import base64
from pathlib import Path
from typing import NamedTuple

from saccade.reporting.overlay import PIXEL_ART_PX

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class InlinePicture(NamedTuple):
    """A picture that needs no file.

    Attributes:
        uri: the whole PNG, as a ``data:`` address.
        width, height: in pixels.
        is_pixel_art: so small that its pixels are better shown as squares.
    """

    uri: str
    width: int
    height: int
    is_pixel_art: bool


def inline_picture(run: Path, file: str | None) -> InlinePicture | None:
    """Reads one picture of a run.

    Args:
        run: the run folder; nothing outside it is read, whatever ``file`` says.
        file: path relative to ``run``.

    Returns:
        The picture; None when there is none, or it is not a PNG.
    """
    if not file:
        return None
    path = (run / file).resolve()
    if not path.is_relative_to(run.resolve()) or not path.is_file():
        return None
    return inline_png(path.read_bytes())


def inline_png(data: bytes) -> InlinePicture | None:
    """The bytes of a PNG file as an inline picture; None when they are not a PNG."""
    if len(data) < 24 or not data.startswith(_PNG_SIGNATURE):
        return None
    # The header chunk comes first: after signature, length and name, width and height.
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    uri = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return InlinePicture(uri, width, height, max(width, height) < PIXEL_ART_PX)
