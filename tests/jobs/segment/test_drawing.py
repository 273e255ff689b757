"""Masks are drawn in colours that differ, and written as numbers that come back."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.jobs.segment.drawing import colour, marked, painted, save_mask, side_by_side

GREY = np.full((200, 200, 1), 100, np.uint8)


def numbers() -> np.ndarray:
    found = np.zeros((200, 200), np.int32)
    found[20:80, 30:90] = 1
    return found


def test_colours_of_neighbouring_numbers_are_far_apart() -> None:
    colours = np.array([colour(k) for k in range(12)], float)

    assert min(np.abs(a - b).sum() for a, b in pairwise(colours)) > 100
    assert len({colour(k) for k in range(50)}) == 50


def test_a_region_is_tinted_with_a_border_and_the_rest_is_left_alone() -> None:
    drawn = painted(GREY, numbers(), [None, (255, 0, 0)])

    assert (drawn[150, 150] == 100).all()
    assert drawn[50, 50].tolist() == [185, 45, 45]
    assert drawn[20, 50].tolist() == [255, 0, 0]


def test_small_pictures_are_enlarged_with_their_masks() -> None:
    image = np.zeros((8, 10, 3), np.uint8)
    small = np.zeros((8, 10), np.int32)
    small[2, 3] = 1

    drawn = painted(image, small, [None, (0, 255, 0)])

    assert drawn.shape == (160, 200, 3)
    assert (drawn[40:60, 60:80, 1] > 100).all()
    assert not drawn[:40].any()


def test_what_is_wrong_is_red_on_grey() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[..., 1] = 200
    wrong = numbers() == 1

    drawn = marked(image, wrong)

    red, rest = drawn[wrong], drawn[~wrong]
    assert (red[:, 0] > 200).all()
    assert (rest[:, 0] == rest[:, 1]).all()


def test_pictures_stand_side_by_side() -> None:
    a, b = np.zeros((5, 3, 3), np.uint8), np.ones((5, 4, 3), np.uint8)

    row = side_by_side([a, b])

    assert row.shape == (5, 3 + 4 + 4, 3)
    assert (row[:, :3] == 0).all()
    assert (row[:, 3:7] == 255).all()
    assert (row[:, 7:] == 1).all()


@pytest.mark.parametrize(("largest", "unknown"), [(3, 255), (254, 255), (300, 65535)])
def test_numbers_come_back_from_the_file(tmp_path: Path, largest: int, unknown: int) -> None:
    found = np.array([[0, 1, -1], [2, largest, largest]], np.int32)

    save_mask(found, tmp_path / "mask.png", colours=[None, (9, 8, 7)])

    read = np.asarray(Image.open(tmp_path / "mask.png")).astype(np.int64)
    assert read.tolist() == [[0, 1, unknown], [2, largest, largest]]


def test_a_mask_has_the_colours_of_its_drawing(tmp_path: Path) -> None:
    found, colours = (
        np.repeat(np.arange(3, dtype=np.int32), 200)[:, None].repeat(200, axis=1),
        [
            None,
            colour(1),
            colour(2),
        ],
    )

    save_mask(found, tmp_path / "mask.png", colours=colours)

    seen = np.asarray(Image.open(tmp_path / "mask.png").convert("RGB"))
    drawn = painted(np.zeros((600, 200, 1), np.uint8), found, colours)
    assert seen[0, 0].tolist() == [0, 0, 0]
    for border in (200, 400):  # all colour, nothing of the picture
        assert seen[border, 0].tolist() == drawn[border, 0].tolist()
