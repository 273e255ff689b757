"""Augmentation is what its formulas say, and a picture's change is its own business."""

import math

import pytest
import torch

from saccade.config.run import AugmentConfig
from saccade.data.augment.changes import augment
from saccade.data.augment.draws import uniform
from saccade.data.batch import Batch

NOTHING = dict.fromkeys(
    ("flip", "translate", "zoom", "rotate_degrees", "shear", "colour", "erase"), 0.0
)
EVERYTHING = {
    "flip": 0.5,
    "translate": 0.2,
    "zoom": 0.3,
    "rotate_degrees": 25.0,
    "shear": 0.2,
    "colour": 1.0,
    "erase": 0.5,
}
SHAPES = [(6, 3, 20, 28), (7, 1, 28, 28)]


def config(**strengths: float) -> AugmentConfig:
    return AugmentConfig(**{**NOTHING, **strengths})


def batch_of(shape: tuple[int, int, int, int], *, first_id: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        images=torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator),
        targets=torch.arange(shape[0]),
        ids=torch.arange(first_id, first_id + shape[0]),
    )


def plain_warp(image: torch.Tensor, draws: list[float], strengths: AugmentConfig) -> torch.Tensor:
    """One picture, one pixel at a time, as the comments of the config say it."""
    channels, height, width = image.shape
    flip, shift_x, shift_y, zoom, turn, slant = draws[:6]
    angle = math.radians((2 * turn - 1) * strengths.rotate_degrees)
    scale = (1 + strengths.zoom) ** (2 * zoom - 1)
    out = torch.empty(channels, height, width)
    for row in range(height):
        for column in range(width):
            # From the pixel back to where it came from: unshift, unzoom, slant, turn, mirror.
            x = column + 0.5 - width / 2 - (2 * shift_x - 1) * strengths.translate * width
            y = row + 0.5 - height / 2 - (2 * shift_y - 1) * strengths.translate * height
            x, y = x / scale, y / scale
            x += (2 * slant - 1) * strengths.shear * y
            x, y = (
                math.cos(angle) * x - math.sin(angle) * y,
                math.sin(angle) * x + math.cos(angle) * y,
            )
            if flip < strengths.flip:
                x = -x
            x = min(max(x + width / 2 - 0.5, 0), width - 1)
            y = min(max(y + height / 2 - 0.5, 0), height - 1)
            left, top = int(x), int(y)
            right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
            for channel in range(channels):
                a, b = image[channel, top, left].item(), image[channel, top, right].item()
                c, d = image[channel, bottom, left].item(), image[channel, bottom, right].item()
                upper, lower = a + (b - a) * (x - left), c + (d - c) * (x - left)
                out[channel, row, column] = upper + (lower - upper) * (y - top)
    return out


@pytest.mark.parametrize("shape", SHAPES)
def test_geometry_equals_one_pixel_at_a_time(shape: tuple[int, int, int, int]):
    batch = batch_of((3, *shape[1:]), first_id=40)
    strengths = config(**{**EVERYTHING, "colour": 0.0, "erase": 0.0})
    found = augment(batch, strengths, seed=1, epoch=2).images.float()
    draws = uniform(1, 2, batch.ids, num=6).tolist()
    for i in range(3):
        wanted = plain_warp(batch.images[i], draws[i], strengths)
        assert (found[i] - wanted).abs().max() <= 0.51  # rounded to whole numbers


def test_a_mirror_image_is_exact():
    batch = batch_of((4, 3, 15, 17))
    flipped = augment(batch, config(flip=1.0), seed=0, epoch=0)
    assert torch.equal(flipped.images, batch.images.flip(-1))


def test_half_the_pictures_are_flipped():
    batch = batch_of((2000, 1, 2, 3))
    flipped = augment(batch, config(flip=0.5), seed=0, epoch=0)
    is_same = (flipped.images == batch.images).flatten(1).all(dim=1)
    assert 900 < is_same.sum() < 1100
    assert torch.equal(flipped.images[~is_same], batch.images[~is_same].flip(-1))


@pytest.mark.parametrize("shape", SHAPES)
def test_colour_equals_brightness_then_contrast_then_saturation(shape: tuple[int, int, int, int]):
    batch = batch_of(shape)
    found = augment(batch, config(colour=0.5), seed=3, epoch=0).images.float()
    luma = torch.tensor([0.299, 0.587, 0.114] if shape[1] == 3 else [1.0])[:, None, None]
    factors = 1 + (2 * uniform(3, 0, batch.ids, num=9)[:, 6:] - 1) * 0.2
    for image, (brightness, contrast, saturation), new in zip(
        batch.images.float(), factors, found, strict=True
    ):
        image = image * brightness
        centre = (image * luma).sum(dim=0).mean()
        image = centre + (image - centre) * contrast
        grey = (image * luma).sum(dim=0, keepdim=True)
        image = grey + (image - grey) * saturation
        assert (new - image.clamp(0, 255)).abs().max() <= 0.51


def test_erasing_covers_one_rectangle_with_the_mean_colour():
    batch = batch_of((50, 3, 24, 32))
    erased = augment(batch, config(erase=1.0), seed=0, epoch=0)
    means = batch.images.float().mean(dim=(2, 3)).round()
    for old, new, mean in zip(batch.images, erased.images, means, strict=True):
        is_mean = (new == mean[:, None, None]).all(dim=0)
        rows, columns = is_mean.any(dim=1).nonzero(), is_mean.any(dim=0).nonzero()
        top, bottom = int(rows.min()), int(rows.max()) + 1
        left, right = int(columns.min()), int(columns.max()) + 1
        assert is_mean[top:bottom, left:right].all()
        assert 0.01 < (bottom - top) * (right - left) / (24 * 32) < 0.3
        assert torch.equal(new[:, ~is_mean], old[:, ~is_mean])


def test_erasing_after_colour_uses_the_new_mean():
    grey = torch.full((20, 3, 16, 16), 100, dtype=torch.uint8)
    batch = Batch(images=grey, targets=None, ids=torch.arange(20))
    changed = augment(batch, config(colour=1.0, erase=1.0), seed=0, epoch=0).images
    assert (changed.flatten(1) == changed.flatten(1)[:, :1]).all()  # the rectangle cannot be seen
    assert len(changed[:, 0, 0, 0].unique()) > 5


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_changes_the_same_way_alone_and_among_others(shape: tuple[int, int, int, int]):
    batch, strengths = batch_of(shape), config(**EVERYTHING)
    together = augment(batch, strengths, seed=5, epoch=1)
    for i in range(len(batch)):
        alone = Batch(
            images=batch.images[i : i + 1],
            targets=batch.labels[i : i + 1] if batch.labels is not None else None,
            ids=batch.ids[i : i + 1],
        )
        changed = augment(alone, strengths, seed=5, epoch=1)
        assert torch.equal(changed.images[0], together.images[i])


def test_every_epoch_and_seed_changes_a_picture_anew():
    batch, strengths = batch_of((1, 3, 16, 16)), config(**EVERYTHING)
    versions = {
        augment(batch, strengths, seed=seed, epoch=epoch).images.numpy().tobytes()
        for seed in range(3)
        for epoch in range(3)
    }
    assert len(versions) == 9


def test_no_strength_no_change():
    batch = batch_of((2, 3, 8, 8))
    assert augment(batch, config(), seed=0, epoch=0) is batch


def test_the_given_pictures_stay_as_they_are():
    batch = batch_of((2, 3, 8, 8))
    before = batch.images.clone()
    augment(batch, config(**EVERYTHING), seed=0, epoch=0)
    assert torch.equal(batch.images, before)


def test_labels_and_ids_are_kept():
    batch = batch_of((4, 1, 8, 8), first_id=9)
    changed = augment(batch, config(**EVERYTHING), seed=0, epoch=0)
    assert changed.labels is batch.labels
    assert changed.ids is batch.ids
    assert changed.images.dtype == torch.uint8


def test_digits_on_black_get_no_light_border():
    batch = batch_of((64, 1, 28, 28))
    batch.images[:, :, :8] = batch.images[:, :, -8:] = 0
    batch.images[..., :8] = batch.images[..., -8:] = 0
    strengths = config(translate=0.1, zoom=0.1, rotate_degrees=15.0)
    changed = augment(batch, strengths, seed=0, epoch=0).images
    assert changed[:, :, 0].max() == changed[:, :, -1].max() == 0
