"""Views are crops of the size asked for, each of its own picture, and follow torch's generator."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.config.task import PretrainConfig
from saccade.data.augment.crops import LONGEST_ASPECT, crop, make_views

PLAIN = PretrainConfig(num_local_views=3, local_size=8, flip=0.0, colour=0.0, blur=0.0)


def pictures(count: int = 4, height: int = 16, width: int = 16, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    shape = (count, channels, height, width)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator)


def coordinates(size: int) -> Tensor:
    """A picture whose pixels say where they are: x in the first channel, y in the second."""
    line = torch.arange(size, dtype=torch.uint8)
    x, y = line.repeat(size, 1), line[:, None].repeat(1, size)
    return torch.stack([x, y, torch.zeros_like(x)])[None]


def slow_crop(
    images: Tensor, num_views: int, height: int, width: int, area: tuple[float, float], flip: float
) -> Tensor:
    """The plain version of the docstring, box by box, with torch's own affine grid."""
    draws = torch.rand(5, len(images), num_views)
    views = torch.zeros(num_views, len(images), images.shape[1], height, width)
    for b in range(len(images)):
        for v in range(num_views):
            size, shape, at_x, at_y, mirror = draws[:, b, v].tolist()
            share, aspect = area[0] + (area[1] - area[0]) * size, LONGEST_ASPECT ** (2 * shape - 1)
            wide = min(1.0, math.sqrt(share * aspect))
            high = min(1.0, math.sqrt(share / aspect))
            left, top = at_x * (1 - wide), at_y * (1 - high)
            sign = -1 if mirror < flip else 1
            matrix = torch.tensor(
                [[[sign * wide, 0, 2 * left + wide - 1], [0, high, 2 * top + high - 1]]]
            )
            grid = F.affine_grid(matrix, [1, 1, height, width], align_corners=False)
            views[v, b] = F.grid_sample(
                images[b : b + 1].float(), grid, padding_mode="border", align_corners=False
            )[0]
    return views


@pytest.mark.parametrize(("height", "width"), [(16, 16), (12, 20)])
def test_a_crop_is_its_plain_version_box_by_box(height: int, width: int) -> None:
    images, area = pictures(height=height, width=width), (0.1, 0.9)

    torch.manual_seed(3)
    expected = slow_crop(images, 5, 8, 6, area, 0.5)
    torch.manual_seed(3)
    found = crop(images, num_views=5, height=8, width=6, area=area, flip=0.5, generator=None)

    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)


def test_crops_cover_the_share_of_the_picture_that_was_asked_for() -> None:
    images = coordinates(64).expand(200, -1, -1, -1)

    views = crop(
        images, num_views=1, height=16, width=16, area=(0.2, 0.5), flip=0.0, generator=None
    )[0]

    # From the first to the last pixel centre of a view lie 15/16 of its side.
    wide = (views[:, 0, 0, -1] - views[:, 0, 0, 0]) / 64 * 16 / 15
    high = (views[:, 1, -1, 0] - views[:, 1, 0, 0]) / 64 * 16 / 15
    share, aspect = wide * high, wide / high
    assert share.min() > 0.19
    assert share.max() < 0.51
    assert share.mean().item() == pytest.approx(0.35, abs=0.02)
    assert aspect.min() > 1 / LONGEST_ASPECT - 0.02
    assert aspect.max() < LONGEST_ASPECT + 0.02


def test_mirrors_come_as_often_as_asked_and_never_where_they_are_not() -> None:
    images = coordinates(32).expand(400, -1, -1, -1)

    def share_mirrored(flip: float) -> float:
        views = crop(
            images, num_views=1, height=8, width=8, area=(0.5, 0.9), flip=flip, generator=None
        )[0]
        return (views[:, 0, 0, 0] > views[:, 0, 0, -1]).float().mean().item()

    assert share_mirrored(0.0) == 0.0
    assert share_mirrored(1.0) == 1.0
    assert share_mirrored(0.3) == pytest.approx(0.3, abs=0.07)


def test_a_view_shows_its_own_picture() -> None:
    images = torch.stack([torch.full((3, 16, 16), 20 * k, dtype=torch.uint8) for k in range(5)])

    views = make_views(images, PLAIN)

    for k in range(5):
        assert (views.whole[:, k] == 20 * k).all()
        assert (views.parts[:, k] == 20 * k).all()


def test_the_views_of_one_picture_differ() -> None:
    views = make_views(pictures(), PLAIN)

    assert views.whole.shape == (2, 4, 3, 16, 16)
    assert views.parts.shape == (3, 4, 3, 8, 8)
    assert not torch.equal(views.whole[0], views.whole[1])
    assert not torch.equal(views.parts[0], views.parts[1])


def test_local_views_have_the_aspect_of_the_picture_and_may_be_none() -> None:
    wide = make_views(pictures(height=16, width=32), PLAIN)
    none = make_views(pictures(), PretrainConfig(num_local_views=0))

    assert wide.parts.shape[-2:] == (8, 16)
    assert wide.whole.shape[-2:] == (16, 32)
    assert none.parts.shape[0] == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_the_same_seed_makes_the_same_views_and_autocast_changes_nothing(channels: int) -> None:
    images, config = pictures(channels=channels), PretrainConfig(local_size=8)
    found = []
    for precision in ("fp32", "bf16"):
        torch.manual_seed(9)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            found.append(make_views(images, config))
    own = make_views(images, config, generator=torch.Generator().manual_seed(9))

    for views in (found[1], own):
        assert torch.equal(views.whole, found[0].whole)
        assert torch.equal(views.parts, found[0].parts)
    assert not torch.equal(make_views(images, config).whole, found[0].whole)


def test_a_generator_of_its_own_leaves_the_global_one_alone() -> None:
    state = torch.get_rng_state()

    make_views(pictures(), PretrainConfig(), generator=torch.Generator())

    assert torch.equal(torch.get_rng_state(), state)
