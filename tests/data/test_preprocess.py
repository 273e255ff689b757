"""Every picture reaches the model's size, by one resize, without invented detail."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.pictures import PictureFiles
from saccade.data.preprocess import fit_picture, read_picture

Fit = Literal["crop", "squash", "pad"]
FITS: tuple[Fit, ...] = ("crop", "squash", "pad")


def preprocess(height: int, width: int, *, channels: int = 3, fit: Fit = "crop") -> Preprocess:
    return Preprocess(
        height=height, width=width, channels=channels, fit=fit, mean=(0.5,), std=(0.5,)
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
