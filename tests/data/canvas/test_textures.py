"""Backgrounds are different, within their range, and grey when asked."""

import numpy as np

from saccade.data.canvas.chance import Chance
from saccade.data.canvas.textures import texture


def backgrounds(*, is_grey: bool = False, count: int = 40) -> list[np.ndarray]:
    return [
        texture(Chance(seed=0, stream=0, number=k), height=24, width=32, is_grey=is_grey)
        for k in range(count)
    ]


def test_pixels_are_0_to_1_and_the_size_is_the_one_asked_for():
    for each in backgrounds():
        assert each.shape == (24, 32, 3)
        assert each.dtype == np.float32
        assert 0 <= each.min() < each.max() <= 1


def test_grey_has_one_channel():
    assert all(each.shape == (24, 32, 1) for each in backgrounds(is_grey=True))


def test_some_are_dark_and_some_bright_and_none_is_flat():
    means = [each.mean() for each in backgrounds()]
    assert min(means) < 0.35
    assert max(means) > 0.65
    assert all(each.std() > 0.005 for each in backgrounds())


def test_no_place_is_special():
    # Averaged over many, a background is flat: neither margins nor a vignette.
    mean = np.mean(backgrounds(count=600), axis=0).mean(2)
    assert mean.std() < 0.012


def test_colours_differ_from_grey():
    spread = [np.ptp(each.mean((0, 1))) for each in backgrounds()]
    assert np.median(spread) > 0.05


def test_some_are_mostly_one_wave_and_some_are_not():
    shares = []
    for each in backgrounds(is_grey=True, count=200):
        powers = np.sort(np.abs(np.fft.fft2(each[:, :24, 0] - each[:, :24, 0].mean())).ravel() ** 2)
        shares.append(powers[-2:].sum() / powers.sum())  # a wave is a frequency and its negative
    low, high = np.percentile(shares, [10, 90])
    assert low < 0.15
    assert high > 0.42
