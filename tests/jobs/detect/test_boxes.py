"""Boxes are drawn where they are, in their colours, on pictures of any size."""

import numpy as np
from PIL import Image

from saccade.jobs.detect.boxes import Drawn, class_colour, draw_boxes

RED = (230, 60, 50)


def grey(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.full((height, width, channels), 128, dtype=np.uint8)


def coloured(image: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.asarray(image) == colour).all(axis=2)


def test_a_box_is_outlined_at_its_corners_and_not_filled() -> None:
    image = draw_boxes(grey(300, 400), [Drawn([50, 60, 150, 200], "", RED)])

    outline = coloured(image, RED)
    rows, columns = np.flatnonzero(outline.any(axis=1)), np.flatnonzero(outline.any(axis=0))
    assert image.size == (400, 300)
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (60, 200, 50, 150)
    assert not outline[80:180, 70:130].any()


def test_small_pictures_are_enlarged_with_their_boxes_and_large_ones_reduced() -> None:
    small = draw_boxes(grey(24, 40), [Drawn([10, 6, 20, 12], "", RED)])
    large = draw_boxes(grey(2000, 1000), [Drawn([100, 200, 500, 400], "", RED)])

    assert small.size == (400, 240)
    assert np.flatnonzero(coloured(small, RED).any(axis=0))[[0, -1]].tolist() == [100, 200]
    assert large.size == (480, 960)
    assert np.flatnonzero(coloured(large, RED).any(axis=1))[[0, -1]].tolist() == [96, 192]


def test_what_was_missed_is_dashed() -> None:
    missed = Drawn([50, 60, 150, 200], "", RED, is_dashed=True)

    line = coloured(draw_boxes(grey(300, 400), [missed]), RED)[60, 50:150]

    assert 0.3 < line.mean() < 0.7


def test_what_was_missed_is_named_below_its_box_and_what_was_found_above() -> None:
    box = [50.0, 60, 150, 200]
    for is_dashed, rows in ((False, slice(46, 60)), (True, slice(203, 216))):
        image = draw_boxes(grey(300, 400), [Drawn(box, "7", RED, is_dashed=is_dashed)])
        label = coloured(image, RED)
        label[60:203] = False
        assert label.any()
        assert label.sum() == label[rows].sum()


def test_a_label_stays_inside_the_picture() -> None:
    corner = Drawn([395, 0, 400, 5], "a long name 0.95", RED)

    label = coloured(draw_boxes(grey(300, 400), [corner]), RED)

    assert label[:16, 300:].sum() > 500
    assert not label[20:, :].any()


def test_grey_pictures_get_coloured_boxes_too() -> None:
    image = draw_boxes(grey(300, 400, channels=1), [Drawn([50, 60, 150, 200], "cat", RED)])

    assert image.mode == "RGB"
    assert coloured(image, RED).any()


def test_neighbouring_classes_have_different_colours_and_there_is_one_for_each() -> None:
    assert len({class_colour(k) for k in range(10)}) == 10
    assert class_colour(1000) == class_colour(0)
