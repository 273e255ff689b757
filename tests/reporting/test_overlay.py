"""An overlay keeps the picture readable, shows heat where it is, and enlarges small pictures."""

import numpy as np
import pytest

from saccade.reporting.overlay import overlay


def lightness(picture: np.ndarray) -> np.ndarray:
    return picture.astype(float) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((28, 28), (224, 224)),
        ((100, 60), (300, 180)),
        ((224, 300), (224, 300)),
        ((1, 9), (25, 225)),
    ],
)
def test_longer_side_has_at_least_224_pixels_and_aspect_is_kept(
    channels: int, size: tuple[int, int], expected: tuple[int, int]
):
    found = overlay(np.zeros((*size, channels), np.uint8), np.zeros((7, 5), np.float32))
    assert found.shape == (*expected, 3)


def test_brightest_place_is_where_the_heat_is():
    heat = np.zeros((4, 4), np.float32)
    heat[3, 0] = 1.0
    light = lightness(overlay(np.full((224, 224, 3), 128, np.uint8), heat))
    row, column = np.unravel_index(light.argmax(), light.shape)
    assert row > 168
    assert column < 56


def test_more_heat_is_always_lighter():
    ramp = np.linspace(0, 1, 224, dtype=np.float32)[None].repeat(224, axis=0)
    for grey in (0, 128, 200):
        light = lightness(overlay(np.full((224, 224, 1), grey, np.uint8), ramp))[0]
        assert (np.diff(light) > -1.0).all()
        assert light[-1] > light[0] + 20


def test_the_picture_shows_through_the_strongest_colour():
    image = np.zeros((224, 224, 3), np.uint8)
    image[:, 112:] = 255
    light = lightness(overlay(image, np.ones((2, 2), np.float32)))
    assert light[:, 200].mean() - light[:, 20].mean() > 60


def test_small_pictures_keep_square_pixels():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 1), dtype=np.uint8)
    found = overlay(image, np.zeros((2, 2), np.float64))
    np.testing.assert_array_equal(found, found[::28, ::28].repeat(28, axis=0).repeat(28, axis=1))


@pytest.mark.parametrize("bad", [1.5, -0.2, float("nan")])
def test_heat_outside_its_range_is_refused(bad: float):
    with pytest.raises(ValueError, match=r"expected numbers in \[0, 1\]"):
        overlay(np.zeros((8, 8, 3), np.uint8), np.array([[0.0, bad]]))
