"""Masks are matched and measured as the formulas say, on cells or on points."""

from itertools import permutations

import pytest
import torch

from saccade.data.targets import PADDING, SegmentTargets
from saccade.losses import masks
from saccade.losses.masks import cell_shares, compare, mask_losses


def truth() -> SegmentTargets:
    """Two pictures of 8 x 8: two objects and one, some pixels unknown."""
    segments = torch.zeros(2, 8, 8, dtype=torch.int32)
    segments[0, :3, :4] = 1
    segments[0, 5:, 3:] = 2
    segments[1, 2:6, 1:5] = 1
    segments[1, 0] = -1
    return SegmentTargets(segments=segments, labels=torch.tensor([[1, 0], [2, PADDING]]))


def naive_pair_loss(logits: torch.Tensor, mask: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """BCE and dice of one query for one object, cell by cell."""
    probs = logits.sigmoid()
    bce = -(mask * probs.log() + (1 - mask) * (1 - probs).log())
    overlap = 2 * (probs * mask * known).sum() + 1
    dice = 1 - overlap / ((probs * known).sum() + (mask * known).sum() + 1)
    return torch.stack([5 * (bce * known).sum() / known.sum(), 5 * dice])


def test_the_loss_is_that_of_the_cheapest_assignment() -> None:
    """All six ways to give two objects three queries, and the three ways to give one object one."""
    classes, logits, target = torch.randn(2, 3, 4), torch.randn(2, 3, 8, 8), truth()

    found = mask_losses(classes, logits, target, cell_size=1)

    expected, wanted = [], torch.full((2, 3), 3)
    for b, count in enumerate((2, 1)):
        known = (target.segments[b] >= 0).float()
        regions = [(target.segments[b] == k + 1).float() for k in range(count)]
        labels = target.labels[b].tolist()

        def cost(queries: tuple[int, ...]) -> float:
            total = torch.zeros(())
            for k, q in enumerate(queries):
                total += naive_pair_loss(logits[b, q], regions[k], known).sum()  # noqa: B023
                total -= 2 * classes[b, q].softmax(dim=0)[labels[k]]  # noqa: B023
            return float(total)

        best = min(permutations(range(3), count), key=cost)
        for k, q in enumerate(best):
            wanted[b, q] = labels[k]
            expected.append(naive_pair_loss(logits[b, q], regions[k], known))
    bce, dice = torch.stack(expected).mean(dim=0)
    weights = torch.tensor([1.0, 1.0, 1.0, 0.1])
    entropy = -classes.log_softmax(dim=2).gather(2, wanted[:, :, None])[:, :, 0] * weights[wanted]
    torch.testing.assert_close(found.bce, bce)
    torch.testing.assert_close(found.dice, dice)
    torch.testing.assert_close(found.classes, 2 * entropy.sum() / weights[wanted].sum())


def test_cells_say_how_much_of_their_known_part_a_segment_covers() -> None:
    target = truth()

    shares, known = cell_shares(target, 2, height=4, width=4)

    for b in range(2):
        for row in range(4):
            for column in range(4):
                pixels = target.segments[b, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
                cell = row * 4 + column
                of_known = pixels[pixels >= 0]
                for k in range(2):
                    share = (of_known == k + 1).float().mean().nan_to_num()
                    assert shares[b, k, cell] == share
                assert known[b, 0, cell] == (pixels >= 0).float().mean()


def test_cells_beyond_the_picture_are_unknown() -> None:
    target = truth()

    shares, known = cell_shares(target, 4, height=3, width=2)

    assert not known.unflatten(2, (3, 2))[:, 0, 2].any()
    assert not shares.unflatten(2, (3, 2))[:, :, 2].any()


def test_a_cell_that_the_border_cuts_is_all_of_the_object_that_fills_its_visible_part() -> None:
    """Sure of it there, a mask costs nothing; the picture's 6 pixels are a cell and a half."""
    segments = torch.zeros(1, 6, 6, dtype=torch.int32)
    segments[:, :, 4:] = 1
    target = SegmentTargets(segments=segments, labels=torch.tensor([[0]]))
    right = torch.tensor([[-20.0, 20.0]]).expand(1, 1, 2, 2)

    found = mask_losses(torch.zeros(1, 1, 2), right, target, cell_size=4)

    assert found.bce.item() == pytest.approx(0.0, abs=1e-6)
    assert found.dice.item() == pytest.approx(0.0, abs=1e-6)


def test_points_near_the_border_have_the_logit_of_the_outermost_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(masks, "MOST_POINTS", 3)

    points = compare(torch.full((2, 3, 2, 2), 7.0), truth(), cell_size=4)

    torch.testing.assert_close(points.logits, torch.full((2, 3, 3), 7.0))


def test_a_segment_without_pixels_is_nobodys_task() -> None:
    target = truth()
    gone = SegmentTargets(
        segments=torch.where(target.segments == 2, 0, target.segments), labels=target.labels
    )
    never = SegmentTargets(
        segments=gone.segments, labels=torch.tensor([[1, PADDING], [2, PADDING]])
    )
    classes, logits = torch.randn(2, 3, 4), torch.randn(2, 3, 8, 8)

    for one, other in zip(
        mask_losses(classes, logits, gone, cell_size=1),
        mask_losses(classes, logits, never, cell_size=1),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_a_picture_without_objects_teaches_that_there_are_none() -> None:
    classes = torch.randn(1, 3, 4, requires_grad=True)
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    empty = SegmentTargets(
        segments=torch.zeros(1, 4, 4, dtype=torch.int32), labels=torch.full((1, 0), 0)
    )

    found = mask_losses(classes, logits, empty, cell_size=1)
    (found.classes + found.bce + found.dice).backward()

    assert found.bce == found.dice == 0
    assert classes.grad is not None
    assert (classes.grad[:, :, 3] < 0).all()  # "no object" is to grow


def test_unknown_pixels_do_not_matter() -> None:
    classes, target = torch.randn(2, 3, 4), truth()
    one = torch.randn(2, 3, 8, 8)
    other = one.clone()
    other[1, :, 0] += 3.0

    for first, second in zip(
        mask_losses(classes, one, target, cell_size=1),
        mask_losses(classes, other, target, cell_size=1),
        strict=True,
    ):
        torch.testing.assert_close(first, second)


def test_points_of_a_large_picture_have_the_logits_and_the_segment_that_lie_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Logits that grow evenly across the picture are known everywhere between the cells."""
    monkeypatch.setattr(masks, "MOST_POINTS", 15)
    target = truth()
    centres = (torch.arange(4) + 0.5) * 2  # of cells of 2 pixels, in pixels
    logits = (centres[:, None] * 10 + centres).expand(2, 3, 4, 4)
    # Segment 1 of picture 0 fills the upper left; inside it, a point's logit says where it is.
    points = compare(logits, target, cell_size=2)

    assert points.logits.shape == (2, 3, 15)
    assert points.shares.shape == (2, 2, 15)
    for b in range(2):
        for p in range(15):
            place = points.logits[b, 0, p]
            # Bilinear inside the outer centres: 10 y + x with half pixels; outside it goes flat.
            candidates = [
                (y, x)
                for y in range(1, 7)
                for x in range(1, 7)
                if abs(10 * (y + 0.5) + x + 0.5 - place) < 1e-3
            ]
            for y, x in candidates[:1]:
                segment = int(target.segments[b, y, x])
                assert points.weights[b, 0, p] == (segment >= 0)
                for k in range(2):
                    assert points.shares[b, k, p] == (segment == k + 1)


def test_points_estimate_the_loss_of_all_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    classes, logits, target = torch.randn(2, 3, 4), torch.randn(2, 3, 8, 8), truth()
    dense = mask_losses(classes, logits, target, cell_size=1)
    monkeypatch.setattr(masks, "MOST_POINTS", 63)  # fewer than cells: points are drawn
    drawn = [mask_losses(classes, logits, target, cell_size=1) for _ in range(200)]

    mean = torch.stack([each.bce for each in drawn]).mean()
    assert mean.item() == pytest.approx(dense.bce.item(), rel=0.05)
