"""From the bytes of one picture file to pixels, for files that may be anything.

Training, prediction and serving decode through this file, so a model always sees a picture the same
way. The formats are an allow-list, the size is judged from the header before any pixel is decoded,
and whatever goes wrong becomes one kind of error with a short reason.
"""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Integer, UInt8
from PIL import (
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from saccade.data.decoding.jpeg import JPEG_START, decode_jpeg, jpeg_scale, ordinary_jpeg_size
from saccade.data.decoding.wide import wide_to_bytes
from saccade.errors import DataError

MAX_PIXELS = 100_000_000  # 300 MB as RGB; more is refused from the header

# The readers are named here instead of asking Image.open, which would try any format that some
# other package registered, and would refuse a huge picture without saying its size.
_READERS: tuple[tuple[tuple[bytes, ...], type[ImageFile.ImageFile]], ...] = (
    ((JPEG_START,), JpegImagePlugin.JpegImageFile),
    ((b"\x89PNG\r\n\x1a\n",), PngImagePlugin.PngImageFile),
    ((b"RIFF",), WebPImagePlugin.WebPImageFile),
    ((b"GIF87a", b"GIF89a"), GifImagePlugin.GifImageFile),
    ((b"BM",), BmpImagePlugin.BmpImageFile),
    ((b"II", b"MM"), TiffImagePlugin.TiffImageFile),
    ((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf"), PpmImagePlugin.PpmImageFile),
)
_FORMATS = "JPEG, PNG, WebP, GIF, BMP, TIFF, PPM"

# Where an orientation can hide; reading EXIF costs as much as decoding a small JPEG, so files that
# hold none of these are not asked. The JPEG standard puts it first; 256 KiB leaves room for a
# thumbnail and a colour profile before it.
_ORIENTATION_MARKS = (b"Exif\0\0", b"eXIf", b"EXIF", b"Raw profile type", b"tiff:", b"adobe.xmp")
_JPEG_HEAD_BYTES = 1 << 18

_PILLOW_MODULES = re.compile(r"PIL\.")


class UnreadablePicture(DataError):
    """This one picture cannot be used; the message is a short reason, without its name."""


class PictureHeader(NamedTuple):
    """What a picture file says about itself before it is decoded.

    Attributes:
        height, width: in pixels, as the picture is meant to be seen (after EXIF orientation).
        is_grey: whether it stores no colour.
    """

    height: int
    width: int
    is_grey: bool


def decode(data: bytes, *, channels: int, min_side: int | None) -> UInt8[np.ndarray, "H W C"]:
    """Decodes a picture: upright, first frame, 8 bits, opaque.

    Transparent pictures are laid on white, as the pages they were drawn for are. Pictures of more
    than 8 bits are scaled by their full range (see ``wide_to_bytes``). The same bytes give the same
    pixels in every thread.

    Args:
        data: the whole file.
        channels: 1 for grey, 3 for RGB.
        min_side: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size as long as its short side
            keeps at least this many pixels; None always decodes in full.

    Returns:
        Pixels from 0 to 255, in memory of their own.

    Raises:
        UnreadablePicture: the bytes are truncated, damaged, too large or of another format.
    """
    assert channels in (1, 3)
    with _short_reasons():
        picture = _decode_fast(data, channels=channels, min_side=min_side)
        if picture is None:
            picture = _decode_any(data, channels=channels, min_side=min_side)
        return picture


def decode_numbers(
    data: bytes,
) -> Integer[np.ndarray, "H W"] | UInt8[np.ndarray, "H W 3"]:
    """Decodes a mask: the numbers that its pixels hold, not the colours that they look like.

    Args:
        data: the whole file.

    Returns:
        Indices where the file has a palette, greys in all their bits, or colours without opacity.

    Raises:
        UnreadablePicture: the bytes are truncated, damaged, too large, of another format, or hold
            numbers that are not whole.
    """
    with _short_reasons():
        image = _open(data)
        image.load()
        if image.mode in ("1", "L", "P") or image.mode.startswith("I"):
            numbers = np.array(image)
            return numbers.astype(np.uint8) if numbers.dtype == bool else numbers
        if image.mode.startswith("F"):
            raise UnreadablePicture("its pixels are fractions; a mask holds whole numbers")
        if image.mode in ("LA", "PA"):
            return np.array(image.getchannel(0))
        return np.array(image.convert("RGB"))


def read_header(data: bytes) -> PictureHeader:
    """Reads a picture's size and kind, without decoding its pixels.

    Args:
        data: the whole file.

    Raises:
        UnreadablePicture: the header is damaged, too large or of another format.
    """
    with _short_reasons():
        image = _open(data)
        height, width = image.height, image.width
        if _orientation(image, data) >= 5:
            height, width = width, height
        is_grey = image.mode.startswith(("1", "L", "I", "F")) and image.mode != "LAB"
        return PictureHeader(height, width, is_grey)


@contextlib.contextmanager
def _short_reasons() -> Iterator[None]:
    """Turns whatever a decoder raises into an UnreadablePicture, and keeps Pillow from warning."""
    _hush_pillow()
    try:
        yield
    except UnreadablePicture:
        raise
    # Hostile bytes make decoders raise nearly every type there is; none of them may end a run.
    except Exception as error:
        message = " ".join(str(error).split())[:120] or type(error).__name__
        reason = "truncated" if "truncated" in message else f"cannot be decoded: {message}"
        raise UnreadablePicture(reason) from error


def _hush_pillow() -> None:
    """Makes Python ignore warnings raised inside Pillow, from the first decode on.

    The usual ``catch_warnings`` swaps a list that all threads share (until Python 3.14), so with
    several decoding threads it would lose or leak filters. Tests restore the list between them,
    hence the look each time.
    """
    if not any(entry[3] == _PILLOW_MODULES for entry in warnings.filters):
        warnings.filterwarnings("ignore", module=_PILLOW_MODULES.pattern)


def _decode_fast(
    data: bytes, *, channels: int, min_side: int | None
) -> UInt8[np.ndarray, "H W C"] | None:
    """An ordinary JPEG in good order; None for everything else."""
    size = ordinary_jpeg_size(data)
    if size is None:
        return None
    check_size(size.height, size.width)
    scale = jpeg_scale(size.height, size.width, min_side)
    picture = decode_jpeg(data, size, channels=channels, scale=scale)
    if picture is not None and _may_be_turned(data):
        picture = np.ascontiguousarray(_turn(picture, _orientation(_open(data), data)))
    return picture


def _decode_any(data: bytes, *, channels: int, min_side: int | None) -> UInt8[np.ndarray, "H W C"]:
    image = _open(data)
    mode = "L" if channels == 1 else "RGB"
    if image.format == "JPEG":
        scale = jpeg_scale(image.height, image.width, min_side)
        image.draft(mode, (image.width // scale, image.height // scale))
    image.load()
    orientation = _orientation(image, data)

    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(wide_to_bytes(np.asarray(image)))
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    if image.mode not in ("1", "L"):
        image = image.convert("RGB")
    picture = np.array(image.convert(mode))
    return np.ascontiguousarray(_turn(picture.reshape(*picture.shape[:2], channels), orientation))


def _open(data: bytes) -> ImageFile.ImageFile:
    """Reads the header only."""
    for starts, reader in _READERS:
        if data.startswith(starts):
            image = reader(io.BytesIO(data))
            check_size(image.height, image.width)
            return image
    raise UnreadablePicture(
        f"not a picture this reads ({_FORMATS})" if data else "the file is empty"
    )


def check_size(height: int, width: int) -> None:
    """Whether a picture, or a frame, has pixels and not too many of them.

    Raises:
        UnreadablePicture: it has none, or more than ``MAX_PIXELS``.
    """
    if height * width > MAX_PIXELS:
        raise UnreadablePicture(
            f"{width} x {height} pixels, more than the {MAX_PIXELS:,} that are read"
        )
    if height * width == 0:
        raise UnreadablePicture(f"{width} x {height} pixels")


def _may_be_turned(data: bytes) -> bool:
    head = data[:_JPEG_HEAD_BYTES] if data.startswith(JPEG_START) else data
    return any(mark in head for mark in _ORIENTATION_MARKS)


def _orientation(image: ImageFile.ImageFile, data: bytes) -> int:
    """The EXIF orientation still to be applied, 1 (upright) to 8; 1 where it cannot be read."""
    if image.format == "TIFF" or not _may_be_turned(data):
        return 1  # Pillow itself turns a TIFF while it loads
    try:
        found = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged EXIF, in as many ways; the picture itself may be whole
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _turn(picture: UInt8[np.ndarray, "h w C"], orientation: int) -> UInt8[np.ndarray, "H W C"]:
    """Makes a picture upright: transpose, then mirror up-down, then left-right, as the tag says."""
    if orientation >= 5:
        picture = picture.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return picture
