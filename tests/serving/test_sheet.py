"""A sheet holds every picture whole, in rows, enlarged where they are small."""

import numpy as np

from saccade.serving.sheet import GAP_PX, SMALLEST_SIDE_PX, sheet


def test_pictures_stand_row_by_row_with_white_between_and_after() -> None:
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((3, 1, 60, 70), np.uint8)

    paper = sheet(images, columns=2)

    assert paper.shape == (2 * 60 + GAP_PX, 2 * 70 + GAP_PX, 1)
    for k, (top, left) in enumerate([(0, 0), (0, 70 + GAP_PX), (60 + GAP_PX, 0)]):
        assert (paper[top : top + 60, left : left + 70] == k).all()
    assert (paper[60 : 60 + GAP_PX] == 255).all()
    assert (paper[60 + GAP_PX :, 70 + GAP_PX :] == 255).all()


def test_small_pictures_are_enlarged_pixel_by_pixel() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 3, 16, 16), dtype=np.uint8)

    paper = sheet(image, columns=1)

    factor = paper.shape[0] // 16
    assert paper.shape[0] >= SMALLEST_SIDE_PX
    assert (paper[::factor, ::factor] == image[0].transpose(1, 2, 0)).all()
    assert (paper[factor - 1 :: factor, factor - 1 :: factor] == image[0].transpose(1, 2, 0)).all()
