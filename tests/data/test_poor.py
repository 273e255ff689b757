"""Poor pictures are poorer the stronger, the same each time, and pictures like any others."""

import numpy as np
import pytest

from saccade.data.pictures import PictureArray, Pictures
from saccade.data.poor import KINDS, LIKE_AUGMENTATION, STRENGTHS, PoorPictures, make_poor

SIDE = 48


def scene(channels: int = 3, side: int = SIDE) -> np.ndarray:
    """Smooth colours and bright rings, whose edges lie in every direction."""
    rows, columns = np.mgrid[:side, :side] / side
    picture = np.stack([rows, columns, 1 - rows], axis=2) * 120 + 40
    picture[np.hypot(rows - 0.43, columns - 0.57) % 0.22 < 0.1] = 230
    return np.rint(picture[:, :, :channels]).astype(np.uint8)


def error(kind: str, strength: int) -> float:
    """The mean over several draws, in grey levels."""
    errors = [
        np.abs(make_poor(scene(), kind, strength, seed=seed).astype(int) - scene()).mean()
        for seed in range(6)
    ]
    return float(np.mean(errors))


@pytest.mark.parametrize("kind", KINDS)
def test_each_strength_changes_more_than_the_one_before(kind: str) -> None:
    errors = [error(kind, strength) for strength in STRENGTHS]

    assert errors[0] > 0.3
    assert errors == sorted(errors)
    assert errors[-1] > 1.5 * errors[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(8, 8, 1), (33, 20, 3), (1, 5, 3)])
def test_any_size_and_both_kinds_of_colour_stay_what_they_are(
    kind: str, shape: tuple[int, int, int]
) -> None:
    picture = np.full(shape, 100, np.uint8)

    found = make_poor(picture, kind, 5, seed=0)

    assert (found.shape, found.dtype) == (shape, np.uint8)
    assert (picture == 100).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_depends_on_the_picture_number_alone(kind: str) -> None:
    once, again, other = (make_poor(scene(), kind, 3, seed=seed) for seed in (7, 7, 8))

    assert np.array_equal(once, again)
    is_random = kind not in ("out of focus", "overexposed", "low contrast", "jpeg", "pixelated")
    assert np.array_equal(once, other) != is_random


def test_noise_has_the_spread_that_its_strength_says() -> None:
    grey = np.full((200, 200, 1), 128, np.uint8)

    gaussian = make_poor(grey, "gaussian noise", 3, seed=0) / 255
    shot = make_poor(grey, "shot noise", 3, seed=0) / 255
    dead = make_poor(grey, "dead pixels", 3, seed=0)

    assert gaussian.std() == pytest.approx(0.10, rel=0.03)
    assert shot.std() == pytest.approx((128 / 255 / 50) ** 0.5, rel=0.03)
    assert np.isin(dead, (0, 255)).mean() == pytest.approx(0.06, abs=0.005)
    assert (dead == 0).mean() == pytest.approx(0.03, abs=0.005)


def test_what_has_a_place_in_the_picture_grows_with_it() -> None:
    small, large = scene(side=32), scene(side=128)

    of_small = np.abs(make_poor(small, "out of focus", 4, seed=0).astype(int) - small).mean()
    of_large = np.abs(make_poor(large, "out of focus", 4, seed=0).astype(int) - large).mean()
    assert of_large == pytest.approx(of_small, rel=0.3)


def test_poor_pictures_are_pictures_that_are_changed_as_they_are_loaded() -> None:
    array = PictureArray(np.stack([scene(), scene()[::-1]]), "drawn")
    poor = PoorPictures(array, "jpeg", 4)

    assert isinstance(poor, Pictures)
    assert (len(poor), poor.name(1), poor.num_bytes(0)) == (2, "drawn#1", array.num_bytes(0))
    assert poor.header(0) == array.header(0)
    assert poor.content_hash(1) == array.content_hash(1)
    assert poor.stamp(1) != array.stamp(1)
    assert poor.stack(height=SIDE, width=SIDE, channels=3) is None
    loaded = poor.load(1, channels=3, min_side=None)
    assert np.array_equal(loaded, make_poor(scene()[::-1].copy(), "jpeg", 4, seed=1))
    assert poor.load(1, channels=1, min_side=None).shape == (SIDE, SIDE, 1)


def test_all_kinds_have_five_strengths_and_some_are_like_augmentation() -> None:
    assert all(len(amounts) == len(STRENGTHS) for _, amounts in KINDS.values())
    assert set(LIKE_AUGMENTATION) < set(KINDS)
