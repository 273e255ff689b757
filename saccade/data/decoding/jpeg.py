"""The fast path for ordinary JPEGs: libjpeg-turbo into an array, in full or at 1/2, 1/4, 1/8.

It takes only what it is sure of; everything else is Pillow's, whose checks are stricter.
"""

import struct
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

try:
    import simplejpeg
except ImportError:  # no wheel for this machine: Pillow decodes JPEG too, at about 3/4 of the speed
    simplejpeg = None

JPEG_START = b"\xff\xd8\xff"

_SCALES = (8, 4, 2)  # the divisors that both libjpeg-turbo and Pillow's draft() decode to
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_DCT_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xDA)})  # these, and the scan, may not come first
_SCAN = 0xDA


class JpegSize(NamedTuple):
    """The stored size of a JPEG in pixels, before any EXIF orientation."""

    height: int
    width: int


def jpeg_scale(height: int, width: int, min_side: int | None) -> int:
    """The largest of the divisors 1, 2, 4, 8 that leaves the short side at least ``min_side``.

    Decoding at 1/scale rounds the sides up.
    """
    if min_side is None:
        return 1
    short = min(height, width)
    return next((scale for scale in _SCALES if -(-short // scale) >= min_side), 1)


def ordinary_jpeg_size(data: bytes) -> JpegSize | None:
    """The size of a JPEG that ``decode_jpeg`` may have; None for all others.

    Ordinary is 8 bits, grey or three colours, and compressed by DCT. The last matters most:
    simplejpeg 1.9.0 decodes a lossless JPEG at half size into an array of that size, but
    libjpeg-turbo writes it in full and so past the array's end. So the segments are walked here up
    to the first frame, and any disorder in them means None.
    """
    if simplejpeg is None or not data.startswith(JPEG_START):
        return None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _START_OF_FRAME:
            return _ordinary_frame(marker, data[at + 4 : at + 10])
        if marker in _WITHOUT_LENGTH or marker == _SCAN or marker in (0x00, 0xFF):
            return None
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def decode_jpeg(
    data: bytes, size: JpegSize, *, channels: int, scale: int
) -> UInt8[np.ndarray, "H W C"] | None:
    """Decodes an ordinary JPEG at 1/scale of its size, not turned.

    Args:
        data: the whole file.
        size: what ``ordinary_jpeg_size`` said.
        channels: 1 for grey, 3 for RGB.
        scale: 1, 2, 4 or 8.

    Returns:
        The pixels; None if the file is damaged or just odd, which Pillow shall judge.
    """
    assert simplejpeg is not None  # else no JPEG is ordinary
    # Just the size that this scale gives, so that no other scale fits better; 0 asks for all.
    min_height, min_width = (-(-side // scale) if scale > 1 else 0 for side in size)
    try:
        return simplejpeg.decode_jpeg(
            data,
            colorspace="GRAY" if channels == 1 else "RGB",
            min_height=min_height,
            min_width=min_width,
        )
    except ValueError:
        return None


def _ordinary_frame(marker: int, frame: bytes) -> JpegSize | None:
    if marker not in _DCT_FRAMES or len(frame) < 6:
        return None
    bits, height, width, components = struct.unpack(">BHHB", frame)
    return JpegSize(height, width) if bits == 8 and components in (1, 3) and height else None
