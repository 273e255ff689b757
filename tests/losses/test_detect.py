"""Who learns which object follows from costs written out one by one, and so does the loss."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.heads.detect import guess_boxes
from saccade.losses.boxes import generalised_iou, to_cxcywh, to_xyxy
from saccade.losses.detect import (
    ALPHA,
    CLASS_WEIGHT,
    GAMMA,
    GIOU_WEIGHT,
    L1_WEIGHT,
    Objects,
    detect_losses,
    match,
    repeat,
    sigmoid_focal,
)
from saccade.losses.matching import NOBODY
from saccade.shapes import Grid

GRID = Grid(1, 4, 4)
CENTRES = guess_boxes(GRID, width=0.5, height=0.5, device=torch.device("cpu"))[:, :2]


def proposals(*, num_classes: int = 2, batch: int = 1) -> tuple[Tensor, Tensor]:
    """Every token proposes a box of 0.3 x 0.3 round its middle, without conviction."""
    boxes = guess_boxes(GRID, width=0.3, height=0.3, device=torch.device("cpu"))
    return torch.full((batch, 16, num_classes), -4.0), boxes.expand(batch, -1, -1).clone()


def objects(*boxes: tuple[float, float, float, float], labels: list[int] | None = None) -> Objects:
    corners = torch.tensor(boxes).reshape(1, -1, 4)
    known = torch.zeros(1, len(boxes), dtype=torch.long)
    if labels is not None:
        known = torch.tensor([labels])
    return Objects(corners, known, known >= 0)


NO_CROWD = torch.zeros(1, 16, dtype=torch.bool)


def test_the_token_in_the_middle_of_an_object_gets_it() -> None:
    of = objects((0.5, 0.25, 0.75, 0.5))  # the cell in row 1, column 2

    assert match(*proposals(), CENTRES, of).tolist() == [[6]]


def test_a_token_that_already_says_so_goes_before_one_that_is_nearer() -> None:
    logits, boxes = proposals()
    logits[0, 5, 1] = 5.0

    assert match(logits, boxes, CENTRES, objects((0.3, 0.2, 0.8, 0.6), labels=[1])).tolist() == [
        [5]
    ]


def test_a_token_beside_the_object_does_not_get_it_however_well_it_fits() -> None:
    logits, boxes = proposals()
    of = objects((0.0, 0.0, 0.25, 0.25), labels=[1])
    logits[0, 10, 1] = 9.0
    boxes[0, 10] = to_cxcywh(of.boxes_xyxy[0, 0])

    assert match(logits, boxes, CENTRES, of).tolist() == [[0]]


def test_two_objects_in_one_cell_go_to_two_tokens() -> None:
    of = objects((0.5, 0.25, 0.75, 0.5), (0.51, 0.26, 0.76, 0.5))

    chosen = match(*proposals(), CENTRES, of)[0].tolist()

    assert len(set(chosen)) == 2
    assert 6 in chosen


def test_costs_are_those_written_out_one_by_one() -> None:
    """For one object, and all tokens on it, the cheapest of all is taken, whatever they propose."""
    of = objects((0.0, 0.0, 1.0, 1.0), labels=[1])
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        logits = torch.randn(1, 16, 2, generator=generator)
        boxes = torch.rand(1, 16, 4, generator=generator) / 2 + 0.25
        costs = []
        for logit, box in zip(logits[0, :, 1].tolist(), boxes[0], strict=True):
            p = 1 / (1 + math.exp(-logit))
            focal = -(ALPHA * (1 - p) ** GAMMA * math.log(p))
            focal += (1 - ALPHA) * p**GAMMA * math.log(1 - p)
            l1 = (box - to_cxcywh(of.boxes_xyxy[0, 0])).abs().sum()
            giou = generalised_iou(to_xyxy(box), of.boxes_xyxy[0, 0])
            costs.append(float(CLASS_WEIGHT * focal + L1_WEIGHT * l1 - GIOU_WEIGHT * giou))

        assert match(logits, boxes, CENTRES, of).tolist() == [
            [min(range(16), key=costs.__getitem__)]
        ]


def test_rows_without_an_object_get_nobody() -> None:
    of = objects((0.5, 0.25, 0.75, 0.5), (0.0, 0.0, 0.2, 0.2), labels=[0, -1])

    assert match(*proposals(), CENTRES, of).tolist() == [[6, NOBODY]]


def test_a_repeated_object_goes_to_as_many_tokens_all_of_them_on_it() -> None:
    of = repeat(objects((0.25, 0.25, 0.75, 0.75), labels=[1]), 4)

    assert of.labels.tolist() == [[1, 1, 1, 1]]
    assert sorted(match(*proposals(), CENTRES, of)[0].tolist()) == [5, 6, 9, 10]


def naive_losses(logits: Tensor, boxes: Tensor, of: Objects, tokens: Tensor) -> list[float]:
    """Number by number."""
    classes = l1 = giou = 0.0
    count = max(int((tokens != NOBODY).sum()), 1)
    for b in range(len(logits)):
        owner = {int(t): m for m, t in enumerate(tokens[b].tolist()) if t != NOBODY}
        for n in range(logits.shape[1]):
            for k in range(logits.shape[2]):
                p = 1 / (1 + math.exp(-logits[b, n, k].item()))
                if n in owner and of.labels[b, owner[n]] == k:
                    classes -= 0.5 * (1 - p) ** 1.5 * math.log(p)
                else:
                    classes -= 0.5 * p**1.5 * math.log(1 - p)
            if n in owner:
                truth = of.boxes_xyxy[b, owner[n]]
                l1 += (boxes[b, n] - to_cxcywh(truth)).abs().sum().item()
                giou += 1 - generalised_iou(to_xyxy(boxes[b, n]), truth).item()
    return [2 * classes / count, 5 * l1 / count, 2 * giou / count]


def test_the_losses_are_their_sums_over_the_number_of_objects() -> None:
    logits, boxes = proposals(num_classes=3, batch=2)
    logits, boxes = logits + torch.randn_like(logits), boxes * (0.5 + torch.rand_like(boxes))
    corners = torch.tensor([[0.1, 0.1, 0.4, 0.5], [0.5, 0.5, 0.9, 0.8]]).expand(2, -1, -1)
    labels = torch.tensor([[2, 0], [1, -1]])
    of = Objects(corners, labels, labels >= 0)
    tokens = match(logits, boxes, CENTRES, of)

    found = detect_losses(logits, boxes, of, tokens, is_unknown=NO_CROWD.expand(2, -1))

    assert [part.item() for part in found] == pytest.approx(
        naive_losses(logits, boxes, of, tokens), rel=1e-4
    )


def test_a_picture_without_objects_teaches_what_is_none() -> None:
    logits, boxes = proposals()
    logits.requires_grad_()
    of = objects()

    tokens = match(logits, boxes, CENTRES, of)
    found = detect_losses(logits, boxes.requires_grad_(), of, tokens, is_unknown=NO_CROWD)
    sum(found).backward()  # pyrefly: ignore

    assert found.l1 == found.giou == 0
    assert logits.grad is not None
    assert (logits.grad > 0).all()


def test_tokens_inside_a_crowd_are_taught_nothing_unless_they_have_an_object() -> None:
    logits, boxes = proposals()
    logits.requires_grad_()
    of = objects((0.5, 0.25, 0.75, 0.5))
    is_crowded = NO_CROWD.clone()
    is_crowded[0, [2, 6]] = True

    tokens = match(logits, boxes, CENTRES, of)
    detect_losses(logits, boxes, of, tokens, is_unknown=is_crowded).classes.backward()

    assert logits.grad is not None
    assert not logits.grad[0, 2].any()
    assert logits.grad[0, 6, 0] < 0
    assert logits.grad[0, 3].all()


def test_focal_loss_is_cross_entropy_that_looks_away_from_the_easy() -> None:
    logits = torch.linspace(-6, 6, 13)
    wanted = (torch.arange(13) % 2).float()

    found = sigmoid_focal(logits, wanted)

    p = torch.where(wanted > 0, logits.sigmoid(), 1 - logits.sigmoid())
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    torch.testing.assert_close(found, 0.5 * (1 - p) ** 1.5 * entropy)
    assert found[0] < 1e-3 * entropy[0]


def test_a_score_of_one_half_is_right_when_there_is_as_often_an_object_as_not() -> None:
    logit = torch.zeros(2, requires_grad=True)

    sigmoid_focal(logit, torch.tensor([0.0, 1.0])).sum().backward()

    assert logit.grad is not None
    assert logit.grad.sum().item() == pytest.approx(0, abs=1e-7)
