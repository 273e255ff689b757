"""Whatever the bytes are, they become upright 8-bit pixels or one plain reason why not."""

import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from saccade.data.decoding import jpeg
from saccade.data.decoding.decode import (
    PictureHeader,
    UnreadablePicture,
    decode,
    decode_numbers,
    read_header,
)

Encode = Callable[..., bytes]
LOSSLESS = ["PNG", "BMP", "TIFF", "PPM"]
WITH_EXIF = ["JPEG", "PNG", "WEBP", "TIFF"]


def pixels(image: Image.Image) -> np.ndarray:
    array = np.asarray(image)
    return array[:, :, None] if array.ndim == 2 else array


@pytest.fixture(params=["simplejpeg", "pillow"])
def jpeg_decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pillow":
        monkeypatch.setattr(jpeg, "simplejpeg", None)
    return request.param


@pytest.mark.parametrize("file_format", LOSSLESS)
@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_lossless_pictures_come_back_exactly(
    photograph: Image.Image, encode: Encode, file_format: str, mode: str
):
    image = photograph.convert(mode)
    data = encode(image, file_format)
    assert (decode(data, channels=3, min_side=None) == pixels(image.convert("RGB"))).all()
    assert (decode(data, channels=1, min_side=None) == pixels(image.convert("L"))).all()
    assert read_header(data) == PictureHeader(24, 40, is_grey=mode != "RGB")


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_lossy_pictures_come_back_closely(
    photograph: Image.Image, encode: Encode, file_format: str, jpeg_decoder: str
):
    data = encode(photograph, file_format, quality=95)
    found = decode(data, channels=3, min_side=None).astype(int)
    assert np.abs(found - pixels(photograph)).mean() < 3


def test_gif_gives_its_first_frame(encode: Encode):
    frames = [Image.new("RGB", (5, 4), colour) for colour in ("red", "lime")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode(data, channels=3, min_side=None) == [255, 0, 0]).all()


@pytest.mark.parametrize("file_format", WITH_EXIF)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_exif_says(
    photograph: Image.Image, encode: Encode, jpeg_decoder: str, file_format: str, orientation: int
):
    tag = Image.Exif()
    tag[0x0112] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encode(photograph, file_format, exif=tag.tobytes(), **options)
    plain = encode(photograph, file_format, **options)
    photograph.getexif()[0x0112] = orientation
    turned = ImageOps.exif_transpose(photograph)

    found = decode(data, channels=3, min_side=None)
    assert np.abs(found.astype(int) - pixels(turned)).max() <= (16 if file_format == "JPEG" else 0)
    assert found.flags.c_contiguous
    assert read_header(data)[:2] == found.shape[:2]
    if orientation == 1:
        assert (found == decode(plain, channels=3, min_side=None)).all()


def test_damaged_exif_leaves_the_picture_upright(photograph: Image.Image, encode: Encode):
    data = encode(photograph, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\0")
    assert decode(data, channels=3, min_side=None).shape == (24, 40, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_become_white(encode: Encode, mode: str):
    image = Image.new("RGBA", (4, 3), (0, 0, 0, 255))
    image.putpixel((1, 2), (0, 0, 0, 0))
    if mode == "P":
        palette = Image.new("P", (4, 3), 0)
        palette.putpalette([0, 0, 0, 200, 0, 0])
        palette.putpixel((1, 2), 1)
        data = encode(palette, "PNG", transparency=1)
    else:
        data = encode(image.convert(mode), "PNG")
    for channels in (1, 3):
        found = decode(data, channels=channels, min_side=None)
        assert (found[2, 1] == 255).all()
        assert found.sum() == 255 * channels


def test_half_transparent_black_is_grey(encode: Encode):
    data = encode(Image.new("RGBA", (2, 2), (0, 0, 0, 127)), "PNG")
    assert (decode(data, channels=1, min_side=None) == 128).all()


def test_cmyk_jpegs_are_not_negatives(encode: Encode):
    """Pillow writes them inverted, with the marker that Adobe's programs use."""
    for cmyk, rgb in [((0, 0, 0, 0), 255), ((0, 0, 0, 255), 0)]:
        data = encode(Image.new("CMYK", (16, 16), cmyk), "JPEG")
        assert b"Adobe" in data
        for channels in (1, 3):
            found = decode(data, channels=channels, min_side=None)
            assert np.abs(found.astype(int) - rgb).max() <= 2


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_pictures_are_scaled_and_not_cut_off(encode: Encode, file_format: str):
    values = np.array([[0, 257, 25_700, 65_535]], dtype=np.uint16)
    data = encode(Image.fromarray(values), file_format)
    assert decode(data, channels=1, min_side=None).ravel().tolist() == [0, 1, 100, 255]
    assert decode(data, channels=3, min_side=None)[0, 2].tolist() == [100, 100, 100]
    assert read_header(data).is_grey


def test_float_pictures_are_scaled(encode: Encode):
    values = np.array([[0.0, 0.2, 1.0]], dtype=np.float32)
    data = encode(Image.fromarray(values), "TIFF")
    assert decode(data, channels=1, min_side=None).ravel().tolist() == [0, 51, 255]


@pytest.mark.parametrize(
    ("size", "min_side", "shape"),
    [
        ((800, 400), None, (400, 800)),
        ((800, 400), 50, (50, 100)),
        ((800, 400), 51, (100, 200)),
        ((800, 400), 101, (200, 400)),
        ((800, 400), 201, (400, 800)),
        ((800, 400), 1000, (400, 800)),
        ((333, 999), 42, (42, 125)),  # an eighth, rounded up
        ((15, 30), 1, (4, 2)),
    ],
)
def test_jpegs_are_decoded_smaller_but_never_below_the_least_side(
    encode: Encode, jpeg_decoder: str, size: tuple[int, int], min_side: int, shape: tuple[int, int]
):
    data = encode(Image.radial_gradient("L").resize(size).convert("RGB"), "JPEG")
    shape = shape if size[0] > size[1] else shape[::-1]
    for channels in (1, 3):
        found = decode(data, channels=channels, min_side=min_side)
        assert sorted(found.shape[:2]) == sorted(shape)
        assert found.shape[2] == channels


def test_both_jpeg_decoders_agree(
    photograph: Image.Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
):
    data = encode(photograph.resize((320, 192)), "JPEG")
    for channels in (1, 3):
        for min_side in (None, 60):
            fast = decode(data, channels=channels, min_side=min_side).astype(int)
            with monkeypatch.context() as context:
                context.setattr(jpeg, "simplejpeg", None)
                slow = decode(data, channels=channels, min_side=min_side)
            assert np.abs(fast - slow).max() <= 2


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_a_picture_cut_in_half_is_refused(encode: Encode, jpeg_decoder: str, file_format: str):
    noise = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noise), file_format)
    with pytest.raises(UnreadablePicture) as caught:
        decode(data[: len(data) // 2], channels=3, min_side=None)
    if file_format in ("JPEG", "PNG"):
        assert str(caught.value) == "truncated"


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    first = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + first + struct.pack(">I", 100) + b"IDAT"


def jpeg_header(width: int, height: int) -> bytes:
    components = b"".join(bytes([i, 0x11, 0]) for i in (1, 2, 3))
    frame = struct.pack(">HBHHB", 17, 8, height, width, 3) + components
    scan = struct.pack(">HB", 12, 3) + bytes([1, 0, 2, 0, 3, 0, 0, 63, 0])
    return b"\xff\xd8\xff\xc0" + frame + b"\xff\xda" + scan + b"\0" * 100


@pytest.mark.parametrize("header", [png_header, jpeg_header])
def test_huge_pictures_are_refused_from_their_header(header: Callable[[int, int], bytes]):
    for read in (lambda d: decode(d, channels=3, min_side=64), read_header):
        with pytest.raises(
            UnreadablePicture, match=r"60000 x 60000 pixels, more than the 100,000,"
        ):
            read(header(60_000, 60_000) + b"\0" * 100)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello, world", r"not a picture this reads \(JPEG, PNG"),
        (b"%PDF-1.4", "not a picture"),
        (b"RIFF....WAVEfmt ", "cannot be decoded"),
        (b"\xff\xd8\xff", "cannot be decoded|truncated"),
        (b"\x89PNG\r\n\x1a\n", "cannot be decoded|truncated"),
        (b"P6 0 0 255\n", "pixels|cannot be decoded"),
        (png_header(0, 5), "0 x 5 pixels|cannot be decoded"),
    ],
)
def test_other_files_are_refused_with_a_reason(data: bytes, reason: str):
    for read in (lambda d: decode(d, channels=3, min_side=None), read_header):
        with pytest.raises(UnreadablePicture, match=reason):
            read(data)


def test_threads_decode_to_the_same_pixels(photograph: Image.Image, encode: Encode):
    files = [encode(photograph.rotate(i), "JPEG" if i % 2 else "PNG") for i in range(16)]
    alone = [decode(data, channels=3, min_side=None) for data in files]
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda data: decode(data, channels=3, min_side=None), files * 4)
        for i, found in enumerate(together):
            assert (found == alone[i % 16]).all()


def test_pixels_belong_to_the_caller(photograph: Image.Image, encode: Encode):
    for file_format in ("PNG", "JPEG"):
        picture = decode(encode(photograph, file_format), channels=3, min_side=None)
        picture += 1
        assert picture.flags.writeable


def test_pillow_never_warns_the_user(encode: Encode):
    palette = Image.new("P", (4, 3), 0)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    data = encode(palette, "PNG", transparency=bytes([255, 0]))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        decode(data, channels=3, min_side=None)
    assert seen == []


def test_hostile_files_become_pixels_or_a_reason(shared_data: Path):
    with zipfile.ZipFile(shared_data / "broken_images" / "broken_images.zip") as archive:
        names = [name for name in archive.namelist() if not name.endswith(("/", ".tsv"))]
        # Every tenth, and those that made simplejpeg write past its array.
        names = [name for i, name in enumerate(names) if i % 10 == 0 or "lossless" in name]
        num_pictures = 0
        for name in names:
            try:
                picture = decode(archive.read(name), channels=3, min_side=32)
            except UnreadablePicture:
                continue
            num_pictures += 1
            assert picture.dtype == np.uint8
            assert picture.shape[2] == 3
            assert min(picture.shape) > 0
    assert 50 < num_pictures < len(names)


def test_numbers_of_a_mask_are_what_its_pixels_hold(encode: Encode):
    held = np.array([[0, 3], [200, 255]], dtype=np.uint8)
    grey = Image.fromarray(held)
    palette = grey.convert("P")
    palette.putpalette([(7 * k) % 256 for k in range(3 * 256)])
    for image in (grey, palette):
        assert decode_numbers(encode(image, "PNG")).tolist() == held.tolist()
    faint = Image.merge("LA", [grey, grey])
    assert decode_numbers(encode(faint, "PNG")).tolist() == held.tolist()
    assert decode_numbers(encode(Image.fromarray(held > 100), "PNG")).tolist() == [[0, 0], [1, 1]]
    wide = np.array([[0, 256, 65535]], dtype=np.uint16)
    assert decode_numbers(encode(Image.fromarray(wide), "PNG")).tolist() == wide.tolist()


def test_colours_of_a_mask_lose_their_opacity_and_nothing_else(encode: Encode):
    held = np.array([[[1, 2, 3, 0], [4, 5, 6, 255]]], dtype=np.uint8)
    found = decode_numbers(encode(Image.fromarray(held), "PNG"))
    assert found.tolist() == [[[1, 2, 3], [4, 5, 6]]]


def test_masks_of_fractions_and_broken_ones_are_refused(encode: Encode):
    fractions = encode(Image.fromarray(np.array([[0.5]], dtype=np.float32)), "TIFF")
    with pytest.raises(UnreadablePicture, match="a mask holds whole numbers"):
        decode_numbers(fractions)
    whole = encode(Image.new("L", (50, 50)), "PNG")
    for data in (b"", whole[:60], b"GIF89a"):
        with pytest.raises(UnreadablePicture):
            decode_numbers(data)
