"""Boxes, maps and pictures move together."""

import math

import pytest
import torch
from torch import Tensor

from saccade.data.warp import Warp


def warp(*rows: tuple[float, float, float], height: int = 24, width: int = 32) -> Warp:
    return Warp(matrix=torch.tensor([rows]), height=height, width=width)


def turned(degrees: float, *, scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> Warp:
    """A turn about the centre, in pixels that are square, with a shift."""
    height, width = 24, 32
    cos, sin = (f(math.radians(degrees)) * scale for f in (math.cos, math.sin))
    return warp((cos, -sin * height / width, x), (sin * width / height, cos, y))


MIRROR = warp((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def box_of(mask: Tensor) -> list[int]:
    rows, columns = torch.nonzero(mask, as_tuple=True)
    ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return [int(end) for end in ends]


def test_a_mirror_swaps_left_and_right():
    boxes, is_left = MIRROR.boxes(torch.tensor([[[2.0, 3.0, 10.0, 9.0]]]))
    assert boxes.tolist() == [[[22.0, 3.0, 30.0, 9.0]]]
    assert is_left.all()


@pytest.mark.parametrize(
    "change", [MIRROR, turned(0, scale=0.7), turned(0, x=0.2, y=-0.15), turned(90), turned(0)]
)
def test_a_box_is_where_its_pixels_are(change: Warp):
    picture = torch.zeros(1, 1, 24, 32)
    picture[:, :, 8:15, 12:20] = 1
    (moved,) = change.images(picture)[:, 0] > 0.5
    boxes, _ = change.boxes(torch.tensor([[[12.0, 8.0, 20.0, 15.0]]]))
    torch.testing.assert_close(boxes[0, 0], torch.tensor(box_of(moved)).float(), atol=1.0, rtol=0)


def test_a_turned_box_is_the_box_round_its_corners():
    boxes, _ = turned(45).boxes(torch.tensor([[[12.0, 8.0, 20.0, 16.0]]]))
    half = 4 * math.sqrt(2)
    wanted = torch.tensor([16 - half, 12 - half, 16 + half, 12 + half])
    torch.testing.assert_close(boxes[0, 0], wanted)


def test_maps_move_with_the_pictures_and_mix_no_numbers():
    labels = torch.zeros(1, 24, 32, dtype=torch.int32)
    labels[:, 8:15, 12:20] = 70_001
    change = turned(20, scale=0.8)
    moved = change.maps(labels)
    assert moved.dtype == torch.int32
    assert set(moved.unique().tolist()) == {0, 70_001}
    picture = (labels > 0).float()[:, None]
    assert ((change.images(picture)[:, 0] > 0.5) != (moved > 0)).float().mean() < 0.02


def test_an_object_that_has_mostly_left_the_picture_is_gone():
    """Shifted by half a picture to the left: a box at the left border, and one at the right."""
    change = warp((1.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    boxes, is_left = change.boxes(
        torch.tensor([[[0.0, 4.0, 10.0, 9.0], [24.0, 4.0, 32.0, 9.0], [10.0, 4.0, 20.0, 9.0]]])
    )
    assert is_left.tolist() == [[False, True, True]]
    wanted = torch.tensor([[8.0, 4, 16, 9], [0, 4, 4, 9]])
    torch.testing.assert_close(boxes[0, 1:], wanted, atol=1e-5, rtol=0)
