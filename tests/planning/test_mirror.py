"""Pictures whose mirror image is another thing are told from those where it is the same."""

import pytest
import torch
from torch import Tensor

from saccade.planning.classify import augmentation
from saccade.planning.mirror import SAFE_RATIO, mirror_ratio
from tests import tiny


def pictures(pattern: Tensor, labels: Tensor) -> Tensor:
    """Noisy pictures of their class's pattern: ``K 1 H W`` to ``B 1 H W``."""
    noise = torch.randint(0, 100, (len(labels), *pattern.shape[1:]))
    return (pattern[labels] * 150 + noise).to(torch.uint8)


def left_or_right() -> Tensor:
    pattern = torch.zeros(2, 1, 12, 12)
    pattern[0, :, :, :4] = 1
    pattern[1, :, :, -4:] = 1
    return pattern


def high_or_low() -> Tensor:
    return left_or_right().transpose(-1, -2)


LABELS = torch.arange(60) % 2


def test_mirrors_of_symmetric_classes_keep_their_class():
    ratio = mirror_ratio(pictures(high_or_low(), LABELS), LABELS)
    assert ratio is not None
    assert ratio > 0.95


def test_mirrors_that_show_another_class_lose_it():
    assert mirror_ratio(pictures(left_or_right(), LABELS), LABELS) == 0.0


def test_a_mixture_is_in_between():
    pattern = torch.cat([left_or_right(), high_or_low()])
    labels = torch.arange(120) % 4
    ratio = mirror_ratio(pictures(pattern, labels), labels)
    assert ratio is not None
    assert 0.2 < ratio < SAFE_RATIO


def test_of_noise_nothing_can_be_said():
    images = torch.randint(256, (60, 3, 12, 12), dtype=torch.uint8)
    assert mirror_ratio(images, LABELS) is None


@pytest.mark.parametrize("count", [1, 2])
def test_a_picture_or_two_say_nothing(count: int):
    images = torch.randint(256, (count, 3, 12, 12), dtype=torch.uint8)
    assert mirror_ratio(images, torch.arange(count)) is None


def test_flat_pictures_are_no_reason_to_fail():
    images = torch.full((10, 1, 8, 8), 7, dtype=torch.uint8)
    ratio = mirror_ratio(images, torch.arange(10) % 2)
    assert ratio == ratio  # not NaN


@pytest.mark.parametrize(("ratio", "flip"), [(0.2, 0.0), (1.0, 0.5)])
def test_pictures_are_mirrored_only_where_that_is_safe(ratio: float, flip: float):
    found = augmentation(tiny.facts(mirror_ratio=ratio), epochs=30.0, image_size=32)
    assert found.flip == flip


def test_pictures_seen_more_often_are_changed_more():
    few, many = (
        augmentation(tiny.facts(), epochs=epochs, image_size=32) for epochs in (1.0, 100.0)
    )
    for name in ("translate", "zoom", "rotate_degrees", "shear", "colour", "erase"):
        assert getattr(few, name) <= getattr(many, name)
