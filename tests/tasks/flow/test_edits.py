"""Edits take away what they say, and nothing else."""

import pytest
import torch
import torch.nn.functional as F

from saccade.config.task import EditConfig
from saccade.tasks.flow.edits import condition_channels, degraded, grey

IMAGES = torch.randint(0, 256, (2, 3, 12, 10), dtype=torch.uint8)
NOISE = torch.randn(2, 3, 12, 10)


def test_colourising_starts_from_brightness_alone() -> None:
    edit = EditConfig(kind="colourise")

    found = degraded(IMAGES, NOISE, edit)

    assert found.shape == (2, condition_channels(edit, 3), 12, 10)
    red, green, blue = IMAGES[0, :, 3, 4].tolist()
    assert found[0, 0, 3, 4].item() == round(0.299 * red + 0.587 * green + 0.114 * blue)


def test_grey_pictures_are_their_own_brightness() -> None:
    assert torch.equal(grey(IMAGES[:, :1]), IMAGES[:, :1])


def test_noise_is_added_in_its_strength() -> None:
    middle = torch.full((1, 1, 100, 100), 128, dtype=torch.uint8)

    found = degraded(middle, torch.randn(1, 1, 100, 100), EditConfig(kind="denoise", noise=0.1))

    assert (found.float() - 128).std().item() == pytest.approx(25.5, rel=0.05)


def test_enlarging_starts_from_a_picture_that_was_small() -> None:
    edit = EditConfig(kind="enlarge", factor=4)

    found = degraded(IMAGES, NOISE, edit)

    assert found.shape == IMAGES.shape
    small = F.interpolate(IMAGES.float(), size=(3, 3), mode="bilinear", antialias=True)
    large = F.interpolate(small, size=(12, 10), mode="bilinear")
    torch.testing.assert_close(found.float(), large, rtol=0, atol=1.5)


def test_pairs_are_left_alone() -> None:
    edit = EditConfig()

    assert torch.equal(degraded(IMAGES, NOISE, edit), IMAGES)
    assert condition_channels(edit, 3) == 3
