"""The fast path takes ordinary JPEGs only, because others would be written past the array's end."""

import io
import struct

import pytest
from PIL import Image

from saccade.data.decoding.jpeg import decode_jpeg, jpeg_scale, ordinary_jpeg_size

BASELINE, PROGRESSIVE, LOSSLESS, ARITHMETIC = 0xC0, 0xC2, 0xC3, 0xC9


def jpeg(mode: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (40, 24)).save(file, "JPEG", **options)
    return file.getvalue()


def frame(marker: int, *, bits: int = 8, height: int = 24, components: int = 3) -> bytes:
    comment = b"\xff\xfe" + struct.pack(">H", 7) + b"hello"
    size = struct.pack(">BHHB", bits, height, 40, components)
    length = struct.pack(">H", 8 + 3 * components)
    return b"\xff\xd8" + comment + bytes([0xFF, marker]) + length + size + b"\0" * 12


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [True, False])
def test_what_cameras_and_programs_write_is_ordinary(mode: str, progressive: bool):
    data = jpeg(mode, progressive=progressive, exif=Image.Exif().tobytes())
    size = ordinary_jpeg_size(data)
    assert size is not None
    assert size == (24, 40)
    for scale in (1, 2, 4, 8):
        picture = decode_jpeg(data, size, channels=3, scale=scale)
        assert picture is not None
        assert picture.shape == (24 // scale, 40 // scale, 3)


@pytest.mark.parametrize("marker", [BASELINE, PROGRESSIVE])
def test_the_first_frame_says_the_size(marker: int):
    assert ordinary_jpeg_size(frame(marker)) == (24, 40)


@pytest.mark.parametrize(
    "data",
    [
        frame(LOSSLESS),
        frame(ARITHMETIC),
        frame(BASELINE, bits=12),
        frame(BASELINE, components=4),
        frame(BASELINE, height=0),  # said later in the file
        frame(BASELINE)[:14],
        b"\xff\xd8\xff\xd9" + frame(BASELINE)[2:],  # ends before it begins
        b"\xff\xd8\xff\xe0\0\x04ab" + b"stray" + frame(BASELINE)[2:],
        jpeg("CMYK"),
        b"\xff\xd8\xff",
        b"",
    ],
)
def test_others_are_not(data: bytes):
    assert ordinary_jpeg_size(data) is None


def test_a_damaged_one_is_left_to_pillow():
    data = jpeg("RGB")
    size = ordinary_jpeg_size(data)
    assert size is not None
    assert decode_jpeg(data[:-20], size, channels=3, scale=1) is None


@pytest.mark.parametrize("short", range(1, 130))
def test_the_scale_is_the_largest_that_keeps_the_least_side(short: int):
    for min_side in (1, 5, 16, 64):
        fitting = [s for s in (2, 4, 8) if (short + s - 1) // s >= min_side]
        assert jpeg_scale(short, 200, min_side) == max(fitting, default=1)
        assert jpeg_scale(200, short, min_side) == jpeg_scale(short, 200, min_side)
