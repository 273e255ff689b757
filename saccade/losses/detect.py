"""What teaches a detector: who is to learn which object, and how far off each proposal is."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from saccade.losses.boxes import generalised_iou, to_cxcywh, to_xyxy
from saccade.losses.matching import NOBODY, assign

ALPHA, GAMMA = 0.5, 1.5
"""Of the focal loss (arXiv 1708.02002): what an object weighs, and how little the easy weighs.

Its authors have 0.25 and 2. With one half for both sides a score of one half means that there is
as likely an object as not. On digit canvases (rag-nano8, 600 steps, one seed) 0.74 of the objects
score above one half in place of 0.48, and AP50 is 0.900 in place of 0.854.
"""

CLASS_WEIGHT, L1_WEIGHT, GIOU_WEIGHT = 2.0, 5.0, 2.0
"""Of the parts of the loss, and of the cost (deformable DETR, arXiv 2010.04159)."""

_ELSEWHERE = 20.0  # cost of a token outside the object; above what the other parts can differ by


class Objects(NamedTuple):
    """What is truly in a batch of pictures.

    Attributes:
        boxes_xyxy: as shares of the grid's width and height.
        labels: class ids; anything in rows without an object.
        is_object: which rows hold an object to learn.
    """

    boxes_xyxy: Float[Tensor, "B M 4"]
    labels: Int64[Tensor, "B M"]
    is_object: Bool[Tensor, "B M"]


class DetectLosses(NamedTuple):
    """The parts, already weighted; their sum is the loss."""

    classes: Float[Tensor, ""]
    l1: Float[Tensor, ""]
    giou: Float[Tensor, ""]


def repeat(objects: Objects, times: int) -> Objects:
    """Each object several times, so that several tokens learn it."""
    boxes, labels, is_object = (each.repeat_interleave(times, dim=1) for each in objects)
    return Objects(boxes, labels, is_object)


@torch.no_grad()
def match(
    logits: Float[Tensor, "B n K"],
    boxes_cxcywh: Float[Tensor, "B n 4"],
    centres: Float[Tensor, "n 2"],
    objects: Objects,
) -> Int64[Tensor, "B M"]:
    """The token that is to learn each object: one that lies on it and is nearest to saying so.

    A token outside an object's box gets it only when those inside are all taken: what a token sees
    best is what is under it. So bars round a padded picture learn no object either.

    Args:
        logits, boxes_cxcywh: the proposals.
        centres: x and y of the tokens' cells, as shares of the grid.
        objects: which to give away.

    Returns:
        The token of each object, ``NOBODY`` for rows without one.
    """
    logits, boxes_cxcywh = logits.float(), boxes_cxcywh.float()
    columns = objects.labels.clamp(min=0)[:, None].expand(-1, logits.shape[1], -1)
    asked = logits.gather(2, columns)  # B n M
    probs = asked.sigmoid()
    positive = ALPHA * (1 - probs) ** GAMMA * -F.logsigmoid(asked)
    negative = (1 - ALPHA) * probs**GAMMA * -F.logsigmoid(-asked)

    truth = objects.boxes_xyxy
    distance = torch.cdist(boxes_cxcywh, to_cxcywh(truth), p=1)  # B n M
    giou = generalised_iou(to_xyxy(boxes_cxcywh)[:, :, None], truth[:, None])
    low, high = truth[:, None, :, :2], truth[:, None, :, 2:]
    at = centres[None, :, None]
    is_inside = ((at >= low) & (at < high)).all(dim=-1)  # B n M
    cost = (
        CLASS_WEIGHT * (positive - negative)
        + L1_WEIGHT * distance
        - GIOU_WEIGHT * giou
        + _ELSEWHERE * ~is_inside
    )
    return assign(cost, objects.is_object)


def detect_losses(
    logits: Float[Tensor, "B n K"],
    boxes_cxcywh: Float[Tensor, "B n 4"],
    objects: Objects,
    tokens: Int64[Tensor, "B M"],
    *,
    is_unknown: Bool[Tensor, "B n"],
) -> DetectLosses:
    """Focal loss of all tokens, L1 and GIoU loss of those that have an object.

    Each is summed and divided by the number of objects in the batch (at least 1), so that a
    picture without objects still teaches what is not one.

    Args:
        logits, boxes_cxcywh: the proposals.
        objects: what is truly there.
        tokens: from ``match``.
        is_unknown: tokens of which nobody knows whether there is an object (inside a crowd).
    """
    logits, boxes_cxcywh = logits.float(), boxes_cxcywh.float()
    picture, row = torch.nonzero(tokens != NOBODY, as_tuple=True)
    token = tokens[picture, row]
    count = max(len(token), 1)

    wanted = torch.zeros_like(logits)
    wanted[picture, token, objects.labels[picture, row]] = 1.0
    is_taught = ~is_unknown
    is_taught[picture, token] = True
    focal = sigmoid_focal(logits, wanted) * is_taught[:, :, None]

    found, truth = boxes_cxcywh[picture, token], objects.boxes_xyxy[picture, row]
    l1 = (found - to_cxcywh(truth)).abs().sum()
    giou = (1 - generalised_iou(to_xyxy(found), truth)).sum()
    return DetectLosses(
        classes=CLASS_WEIGHT * focal.sum() / count,
        l1=L1_WEIGHT * l1 / count,
        giou=GIOU_WEIGHT * giou / count,
    )


def sigmoid_focal(logits: Float[Tensor, "*n"], wanted: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Cross-entropy of yes and no, with little weight on what is already right (1708.02002).

    With p the probability of the truth: ``-alpha (1 - p)^gamma log p``, and alpha becomes
    1 - alpha where the truth is no.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    probs = logits.sigmoid()
    missing = torch.where(wanted > 0, 1 - probs, probs)
    weight = torch.where(wanted > 0, ALPHA, 1 - ALPHA)
    return weight * missing**GAMMA * entropy
