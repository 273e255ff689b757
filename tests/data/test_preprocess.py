"""Every picture reaches the model's size by one resize: ours, or to the pixel that of others."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.pictures import PictureFiles
from saccade.data.preprocess import fit_picture, leaves_untouched, read_picture

Fit = Literal["crop", "squash", "pad"]
FITS: tuple[Fit, ...] = ("crop", "squash", "pad")


Interpolation = Literal["bilinear", "bicubic", "lanczos"]


def preprocess(
    height: int,
    width: int,
    *,
    channels: int = 3,
    fit: Fit = "crop",
    resize_side: int = 0,
    interpolation: Interpolation = "bilinear",
) -> Preprocess:
    return Preprocess(
        height=height,
        width=width,
        channels=channels,
        fit=fit,
        mean=(0.5,),
        std=(0.5,),
        resize_side=resize_side,
        interpolation=interpolation,
    )


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    size = (height, width, channels)
    return np.random.default_rng(0).integers(256, size=size, dtype=np.uint8)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_right_size_stays_untouched(fit: Fit, channels: int):
    picture = noise(12, 20, channels)
    fitted = fit_picture(picture, preprocess(12, 20, channels=channels, fit=fit))
    assert (fitted == picture.transpose(2, 0, 1)).all()
    assert fitted.flags.c_contiguous


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (50, 3), (7, 7), (300, 200)])
def test_every_size_arrives(fit: Fit, channels: int, size: tuple[int, int]):
    fitted = fit_picture(noise(*size, channels), preprocess(16, 24, channels=channels, fit=fit))
    assert fitted.shape == (channels, 16, 24)
    assert fitted.dtype == np.uint8
    assert fitted.flags.c_contiguous


def test_squash_equals_the_mean_of_whole_blocks_up_to_the_soft_edge():
    blocks = noise(4, 5).repeat(16, axis=0).repeat(16, axis=1)
    fitted = fit_picture(blocks, preprocess(64, 80, fit="squash"))
    assert (fitted == blocks.transpose(2, 0, 1)).all()
    flat = np.full((64, 80, 3), 77, dtype=np.uint8)
    assert (fit_picture(flat, preprocess(9, 5, fit="squash")) == 77).all()


@pytest.mark.parametrize(("height", "width"), [(40, 90), (90, 40)])
def test_crop_equals_cutting_the_centre_first(height: int, width: int):
    picture = noise(height, width)
    top, left = max(0, (height - width) // 2), max(0, (width - height) // 2)
    side = min(height, width)
    centre = np.ascontiguousarray(picture[top : top + side, left : left + side])
    wanted = np.asarray(Image.fromarray(centre).resize((20, 20), Image.Resampling.BILINEAR))
    fitted = fit_picture(picture, preprocess(20, 20)).transpose(1, 2, 0)
    # At the cut edges the antialiasing may see what lies beyond them, as it should.
    assert np.abs(fitted.astype(int) - wanted)[1:-1, 1:-1].max() <= 1


def test_pad_keeps_the_whole_picture_between_black_bars():
    white = np.full((10, 40, 3), 255, dtype=np.uint8)
    fitted = fit_picture(white, preprocess(16, 16, fit="pad"))
    assert (fitted[:, 6:10] == 255).all()
    assert (fitted[:, :6] == 0).all()
    assert (fitted[:, 10:] == 0).all()


def test_fine_stripes_become_grey_and_not_moire():
    stripes = np.zeros((100, 100, 1), dtype=np.uint8)
    stripes[:, ::2] = 255
    fitted = fit_picture(stripes, preprocess(20, 20, channels=1)).astype(int)
    assert np.abs(fitted[:, :, 2:-2] - 127).max() < 12


@pytest.mark.parametrize("fit", FITS)
def test_jpegs_decoded_smaller_look_as_decoded_in_full(tmp_path: Path, fit: Fit):
    Image.radial_gradient("L").resize((640, 400)).convert("RGB").save(tmp_path / "a.jpg")
    pictures = PictureFiles(tmp_path, ("a.jpg",))
    wanted = preprocess(32, 48, fit=fit)
    in_full = fit_picture(pictures.load(0, channels=3, min_side=None), wanted)
    assert pictures.load(0, channels=3, min_side=48).shape == (50, 80, 3)
    assert np.abs(read_picture(pictures, 0, wanted).astype(int) - in_full).max() <= 6


def resize_then_cut(
    image: Image.Image, *, resize_side: int, size: tuple[int, int], resample: Image.Resampling
) -> np.ndarray:
    """What timm and torchvision do to a Pillow image, step by step; ``size`` is width, height."""
    width, height = image.size
    if width <= height:
        image = image.resize((resize_side, int(resize_side * height / width)), resample)
    else:
        image = image.resize((int(resize_side * width / height), resize_side), resample)
    left = int(round((image.width - size[0]) / 2.0))  # noqa: RUF046 - as it stands there
    top = int(round((image.height - size[1]) / 2.0))  # noqa: RUF046
    return np.asarray(image.crop((left, top, left + size[0], top + size[1])))


RESAMPLE: dict[Interpolation, Image.Resampling] = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# Margins of every remainder by 4, both orientations, enlarged and made smaller, already in size.
SHAPES = [
    (60, 80),
    (80, 60),
    (63, 50),
    (50, 63),
    (61, 83),
    (97, 50),
    (50, 99),
    (50, 101),
    (24, 24),
    (28, 28),
    (9, 13),
]


@pytest.mark.parametrize("interpolation", RESAMPLE)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_with_a_side_to_resize_to_every_pixel_is_that_of_other_libraries(
    tmp_path: Path, shape: tuple[int, int], channels: int, interpolation: Interpolation
):
    picture = noise(*shape, channels)
    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    image.save(tmp_path / "a.png")
    wanted = resize_then_cut(
        image, resize_side=28, size=(24, 24), resample=RESAMPLE[interpolation]
    ).reshape(24, 24, channels)
    fitted = read_picture(
        PictureFiles(tmp_path, ("a.png",)),
        0,
        preprocess(24, 24, channels=channels, resize_side=28, interpolation=interpolation),
    )
    assert (fitted == wanted.transpose(2, 0, 1)).all()


@pytest.mark.parametrize("interpolation", RESAMPLE)
def test_squash_is_one_resize_with_the_interpolation_asked_for(interpolation: Interpolation):
    picture = noise(30, 50)
    wanted = np.asarray(Image.fromarray(picture).resize((20, 16), RESAMPLE[interpolation]))
    fitted = fit_picture(picture, preprocess(16, 20, fit="squash", interpolation=interpolation))
    assert (fitted == wanted.transpose(2, 0, 1)).all()


def test_a_picture_of_the_models_size_stays_untouched_only_where_nothing_is_cut_off():
    picture = noise(24, 24)
    for resize_side, stays in ((0, True), (24, True), (28, False)):
        wanted = preprocess(24, 24, resize_side=resize_side)
        assert leaves_untouched(wanted) == stays
        assert (fit_picture(picture, wanted) == picture.transpose(2, 0, 1)).all() == stays
    assert leaves_untouched(preprocess(24, 24, resize_side=28, fit="squash"))


def test_an_oblong_model_is_covered_also_where_the_side_to_resize_to_is_too_short():
    fitted = fit_picture(noise(40, 40), preprocess(16, 30, resize_side=20))
    assert fitted.shape == (3, 16, 30)
    assert (fitted == fit_picture(noise(40, 40), preprocess(16, 30))).all()


def test_a_jpeg_is_never_decoded_smaller_than_it_is_scaled_to(tmp_path: Path):
    Image.fromarray(noise(400, 640)).save(tmp_path / "a.jpg")
    pictures = PictureFiles(tmp_path, ("a.jpg",))
    wanted = preprocess(32, 32, resize_side=350)
    in_full = fit_picture(pictures.load(0, channels=3, min_side=None), wanted)
    assert (read_picture(pictures, 0, wanted) == in_full).all()
