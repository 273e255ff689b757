"""Distances between boxes are those of pixels counted one by one."""

import pytest
import torch

from saccade.losses.boxes import generalised_iou, to_cxcywh, to_xyxy


def painted(box: list[int]) -> torch.Tensor:
    mask = torch.zeros(20, 20, dtype=torch.bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def naive(a: list[int], b: list[int]) -> float:
    """Pixels of both, of either, and of the box round both."""
    both, either = (painted(a) & painted(b)).sum(), (painted(a) | painted(b)).sum()
    hull = painted([min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]).sum()
    return (both / either - (hull - either) / hull).item()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([2, 2, 10, 8], [2, 2, 10, 8]),
        ([2, 2, 10, 8], [5, 4, 14, 12]),
        ([0, 0, 4, 4], [10, 12, 20, 18]),
        ([0, 0, 20, 20], [7, 7, 9, 12]),
        ([0, 0, 5, 5], [5, 0, 9, 5]),
    ],
)
def test_generalised_iou_is_what_the_pixels_say(a: list[int], b: list[int]) -> None:
    first, second = torch.tensor(a) / 20, torch.tensor(b) / 20

    found = generalised_iou(first, second).item()

    assert found == pytest.approx(naive(a, b), abs=1e-5)
    assert generalised_iou(second, first).item() == pytest.approx(found)


def test_equal_boxes_have_one_and_far_ones_almost_minus_one() -> None:
    boxes = torch.tensor([[0.0, 0.0, 0.01, 0.01], [0.99, 0.99, 1.0, 1.0]])

    table = generalised_iou(boxes[:, None], boxes[None])

    torch.testing.assert_close(table.diag(), torch.ones(2))
    assert -1 <= table[0, 1] < -0.99


def test_boxes_that_do_not_touch_still_say_where_to_go() -> None:
    box = torch.tensor([0.1, 0.1, 0.2, 0.2], requires_grad=True)

    generalised_iou(box, torch.tensor([0.6, 0.1, 0.7, 0.2])).backward()

    assert box.grad is not None
    assert box.grad[2] > 0


def test_boxes_without_area_give_numbers_and_finite_gradients() -> None:
    box = torch.full((4,), 0.5, requires_grad=True)

    value = generalised_iou(box, torch.full((4,), 0.5))
    value.backward()

    assert value.isfinite()
    assert box.grad is not None
    assert box.grad.isfinite().all()


def test_centre_and_corners_are_the_same_box() -> None:
    corners = torch.tensor([[0.1, 0.2, 0.5, 0.3]])

    torch.testing.assert_close(to_cxcywh(corners), torch.tensor([[0.3, 0.25, 0.4, 0.1]]))
    torch.testing.assert_close(to_xyxy(to_cxcywh(corners)), corners)
