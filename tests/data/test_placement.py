"""Boxes and maps land where the pixels land, whatever the fit, and come back."""

import numpy as np
import pytest

from saccade.config.run import Preprocess
from saccade.data.placement import place
from saccade.data.preprocess import fit_picture

FITS = ["crop", "squash", "pad"]


def preprocess(fit: str, height: int = 32, width: int = 48, resize_side: int = 0) -> Preprocess:
    assert fit in ("crop", "squash", "pad")
    return Preprocess(
        height=height,
        width=width,
        channels=1,
        fit=fit,
        mean=(0.5,),
        std=(0.25,),
        resize_side=resize_side,
    )


def marked(height: int, width: int, box: tuple[int, int, int, int]) -> np.ndarray:
    """A black picture with one white box."""
    picture = np.zeros((height, width, 1), np.uint8)
    left, top, right, bottom = box
    picture[top:bottom, left:right] = 255
    return picture


def box_of(picture: np.ndarray) -> list[int]:
    """The box round what is bright."""
    rows, columns = np.nonzero(picture > 127)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(64, 96), (40, 90), (101, 67), (16, 24)])
@pytest.mark.parametrize("resize_side", [0, 60])
def test_a_box_lands_where_its_pixels_land(fit: str, size: tuple[int, int], resize_side: int):
    height, width = size
    box = (width // 2 - 3, height // 2 - 4, width // 2 + 5, height // 2 + 3)
    wanted = preprocess(fit, resize_side=resize_side)
    fitted = fit_picture(marked(height, width, box), wanted)[0]
    (found,) = place(height, width, wanted).boxes_to_input(np.array([box], dtype=np.float64))
    np.testing.assert_allclose(found, box_of(fitted), atol=0.75)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(64, 96), (40, 90), (101, 67)])
def test_boxes_come_back(fit: str, size: tuple[int, int]):
    placement = place(*size, preprocess(fit))
    boxes = np.array([[10.0, 8.0, 30.5, 31.25], [0, 0, 5, 5]])
    there = placement.boxes_to_input(boxes)
    np.testing.assert_allclose(placement.boxes_to_picture(there), boxes, atol=1e-9)


def test_boxes_that_leave_the_picture_are_cut_at_its_border():
    placement = place(20, 30, preprocess("pad", 40, 40))
    (box,) = placement.boxes_to_picture(np.array([[-5.0, -50.0, 45.0, 90.0]]))
    assert box.tolist() == [0, 0, 30, 20]


@pytest.mark.parametrize("fit", FITS)
def test_a_map_lands_where_its_pixels_land(fit: str):
    """Nearest neighbours and antialiasing differ along edges only."""
    picture = marked(66, 90, (20, 15, 61, 50))
    wanted = preprocess(fit)
    fitted = fit_picture(picture, wanted)[0] > 127
    labels = (picture[:, :, 0] > 127).astype(np.uint8)
    placed = place(66, 90, wanted).map_to_input(labels, fill=0)
    assert placed.shape == (32, 48)
    assert (placed.astype(bool) != fitted).mean() < 0.04


def test_the_bars_round_a_padded_picture_are_filled():
    placed = place(10, 30, preprocess("pad", 30, 30)).map_to_input(
        np.ones((10, 30), np.int32), fill=-1
    )
    assert (placed[:10] == -1).all()
    assert (placed[10:20] == 1).all()
    assert (placed[20:] == -1).all()


def test_a_map_of_its_own_size_is_untouched_both_ways():
    labels = np.arange(32 * 48).reshape(32, 48)
    placement = place(32, 48, preprocess("squash"))
    assert (placement.map_to_input(labels, fill=-1) == labels).all()
    assert (placement.map_to_picture(labels, fill=-1) == labels).all()


def test_a_map_comes_back_in_the_pictures_size_and_what_was_cut_off_is_filled():
    placement = place(64, 128, preprocess("crop", 32, 32))
    back = placement.map_to_picture(np.ones((32, 32), np.uint8), fill=255)
    assert back.shape == (64, 128)
    assert (back[:, 32:96] == 1).all()
    assert (back[:, :32] == 255).all()
    assert (back[:, 96:] == 255).all()
