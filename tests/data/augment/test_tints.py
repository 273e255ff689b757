"""Colours change as much as asked, each picture by itself, and stay bytes."""

import colorsys

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.data.augment.tints import _blur, _colour_matrix, _recolour, tint


def views(count: int = 50, channels: int = 3, side: int = 8) -> Tensor:
    return 255 * torch.rand(2, count, channels, side, side)


def luma(rgb: Tensor) -> Tensor:
    return (rgb * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_no_strength_only_rounds(channels: int) -> None:
    images = views(channels=channels)

    assert torch.equal(
        tint(images, colour=0.0, blur=0.0, generator=None), images.round().to(torch.uint8)
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_colours_change_in_most_pictures_and_stay_bytes(channels: int) -> None:
    images = views(channels=channels)

    found = tint(images, colour=1.0, blur=0.0, generator=None)

    assert found.dtype == torch.uint8
    assert found.shape == images.shape
    changed = (found.float() - images).abs().flatten(2).mean(dim=2) > 2
    assert 0.6 < changed.float().mean() < 0.98


def test_a_weaker_tint_changes_less() -> None:
    images = views(200)

    def change(colour: float) -> float:
        torch.manual_seed(2)
        found = tint(images, colour=colour, blur=0.0, generator=None)
        return (found.float() - images).abs().mean().item()

    assert change(0.1) < 0.5 * change(0.5) < change(1.0)


def test_about_a_fifth_of_the_pictures_becomes_grey() -> None:
    found = tint(views(400), colour=1.0, blur=0.0, generator=None).flatten(0, 1).float()

    is_grey = (found.amax(dim=1) - found.amin(dim=1)).flatten(1).amax(dim=1) <= 1
    assert is_grey.float().mean().item() == pytest.approx(0.2, abs=0.05)


def test_saturation_and_hue_leave_the_brightness_alone() -> None:
    matrix = _colour_matrix(
        saturation=torch.tensor([1.2, 0.8, 1.0]),
        turn=torch.tensor([0.0, 0.05, -0.1]),
        is_grey=torch.tensor([False, False, True]),
    )
    image = 60 + 100 * torch.rand(3, 4, 4)

    changed = torch.einsum("nij,jhw->nihw", matrix, image)

    for each in changed:
        torch.testing.assert_close(luma(each), luma(image), rtol=1e-3, atol=0.2)
    torch.testing.assert_close(changed[2], luma(image).expand(3, -1, -1), rtol=1e-3, atol=0.2)


def test_no_turn_and_full_saturation_are_the_identity_and_a_turn_moves_the_hue() -> None:
    same, turned = _colour_matrix(
        saturation=torch.ones(2), turn=torch.tensor([0.0, 0.1]), is_grey=torch.tensor([False] * 2)
    )
    torch.testing.assert_close(same, torch.eye(3), rtol=0, atol=1e-5)

    reddish = torch.tensor([0.7, 0.5, 0.45])
    before = colorsys.rgb_to_hsv(*reddish.tolist())[0]
    after = colorsys.rgb_to_hsv(*(turned @ reddish).tolist())[0]
    assert 0.03 < abs((after - before + 0.5) % 1 - 0.5) < 0.2


def test_contrast_pulls_to_the_mean_brightness_of_each_picture() -> None:
    """With saturation, hue, grey and solarising left out, a pixel is b c x + b (1 - c) mean."""
    image = torch.rand(1, 1, 6, 6).expand(64, -1, -1, -1) * 100 + 50

    torch.manual_seed(4)
    found = _recolour(image, 1.0, None)
    torch.manual_seed(4)
    draws = torch.rand(7, 64)

    plain = draws[6] >= 0.2  # not solarised
    assert plain.any()
    for k in plain.nonzero()[:, 0].tolist():
        is_changed = draws[0, k] < 0.8
        b = 1 + (2 * draws[1, k] - 1) * 0.4 if is_changed else torch.tensor(1.0)
        c = 1 + (2 * draws[2, k] - 1) * 0.4 if is_changed else torch.tensor(1.0)
        expected = b * c * image[k] + b * (1 - c) * image[k].mean()
        torch.testing.assert_close(found[k], expected.clamp(0, 255), rtol=1e-4, atol=1e-2)


def test_a_solarised_picture_has_its_bright_pixels_inverted() -> None:
    image = torch.full((300, 1, 2, 2), 200.0)

    torch.manual_seed(4)
    found = _recolour(image, 1e-6, None)  # next to no change of brightness
    torch.manual_seed(4)
    found_strong = _recolour(image, 1.0, None)

    assert (found > 199).all()  # solarising is as rare as the strength is small
    dark = (found_strong.flatten(1)[:, 0] < 128).float().mean().item()
    assert dark == pytest.approx(0.2, abs=0.06)


def test_large_views_are_blurred_and_small_ones_are_not() -> None:
    small, large = views(8, side=32), views(8, side=64)

    assert torch.equal(
        tint(small, colour=0.0, blur=1.0, generator=None), small.round().to(torch.uint8)
    )
    blurred = tint(large, colour=0.0, blur=1.0, generator=None).float()
    assert blurred.flatten(2).std(dim=2).mean() < 0.95 * large.flatten(2).std(dim=2).mean()


def test_a_blur_is_a_gaussian_and_keeps_the_sum() -> None:
    point = torch.zeros(3, 2, 65, 65)
    point[:, :, 32, 32] = 100

    torch.manual_seed(1)
    found = _blur(point, 1.0, None)
    torch.manual_seed(1)
    draws = torch.rand(2, 3)

    torch.testing.assert_close(found.sum(dim=(2, 3)), torch.full((3, 2), 100.0))
    for k in range(3):
        sigma = 65 * (0.1 + 1.9 * draws[1, k]) / 224
        distance = torch.arange(-2, 3)
        line = torch.exp(-(distance**2) / (2 * sigma**2))
        line = line / torch.exp(-(torch.arange(-8, 9) ** 2) / (2 * sigma**2)).sum()
        torch.testing.assert_close(
            found[k, 0, 30:35, 30:35], 100 * line[:, None] * line, rtol=1e-2, atol=1e-2
        )


def test_only_the_chosen_pictures_are_blurred() -> None:
    images = views(40, side=64).flatten(0, 1)

    torch.manual_seed(7)
    found = _blur(images, 0.5, None)

    same = (found == images).flatten(1).all(dim=1)
    assert 20 < int(same.sum()) < 60
    assert F.mse_loss(found[~same], images[~same]) > 1
