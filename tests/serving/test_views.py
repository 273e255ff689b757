"""A view moves every pixel as it says, the picture as it is comes first, and no view is made up."""

import pytest
import torch

from saccade.errors import UsageError
from saccade.serving.views import PLAIN, View, choose_views, look


def pictures(height: int = 5, width: int = 7) -> torch.Tensor:
    return torch.arange(2 * 3 * height * width, dtype=torch.uint8).view(2, 3, height, width)


def test_the_picture_as_it_is_is_the_first_view_and_changes_nothing():
    assert choose_views(1, has_mirror=True) == (PLAIN,)
    assert torch.equal(look(pictures(), PLAIN), pictures())


def test_moving_shows_the_pixels_before_it_and_reflects_the_border():
    images = pictures()
    moved = look(images, View(is_mirrored=False, down=1, right=0))
    assert torch.equal(moved[:, :, 1:], images[:, :, :-1])
    assert torch.equal(moved[:, :, 0], images[:, :, 1])
    back = look(images, View(is_mirrored=False, down=0, right=-1))
    assert torch.equal(back[..., :-1], images[..., 1:])
    assert torch.equal(back[..., -1], images[..., -2])


def test_a_mirror_image_is_one_also_when_moved():
    images = pictures()
    assert torch.equal(look(images, View(is_mirrored=True, down=0, right=0)), images.flip(-1))
    both = look(images, View(is_mirrored=True, down=1, right=1))
    assert torch.equal(both, look(images, View(is_mirrored=False, down=1, right=1)).flip(-1))


def test_large_pictures_move_by_a_share_of_their_side():
    wide = torch.arange(64, dtype=torch.uint8).view(1, 1, 1, 64).expand(1, 1, 64, 64)
    moved = look(wide, View(is_mirrored=False, down=0, right=1))
    assert moved[0, 0, 0, 2:].tolist() == list(range(62))


def test_clips_are_moved_frame_by_frame_and_one_pixel_stays():
    clips = torch.stack([pictures(), pictures() + 1], dim=1)
    view = View(is_mirrored=True, down=-1, right=1)
    assert torch.equal(look(clips, view)[:, 0], look(pictures(), view))
    assert look(torch.ones(1, 1, 1, 1), view).shape == (1, 1, 1, 1)


def test_views_are_all_different_and_mirrored_only_where_that_is_safe():
    assert len(set(choose_views(18, has_mirror=True))) == 18
    plain = choose_views(9, has_mirror=False)
    assert len(set(plain)) == 9
    assert not any(view.is_mirrored for view in plain)
    assert choose_views(2, has_mirror=True)[1].is_mirrored


@pytest.mark.parametrize(("count", "has_mirror"), [(0, True), (19, True), (10, False)])
def test_views_that_do_not_exist_are_refused(count: int, has_mirror: bool):
    with pytest.raises(UsageError, match=r"1 to (9|18) views"):
        choose_views(count, has_mirror=has_mirror)
