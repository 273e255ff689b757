"""What teaches queries to find objects: who learns which, and how far off its mask is."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.data.annotations import IGNORED_SEGMENT
from saccade.data.targets import PADDING, SegmentTargets
from saccade.losses.matching import NOBODY, assign

CLASS_WEIGHT, BCE_WEIGHT, DICE_WEIGHT = 2.0, 5.0, 5.0
"""Of the parts of the loss, and of the cost (Mask2Former, arXiv 2112.01527)."""

NO_OBJECT_WEIGHT = 0.1
"""Of a query that has no object, in the class loss: most have none."""

MOST_POINTS = 12_544
"""Cells that masks are compared on; of larger pictures as many are drawn (112 x 112)."""


class Points(NamedTuple):
    """Logits and truth at the same places of each picture.

    Attributes:
        logits: of each query's mask.
        shares: how much of what is known of the cell each segment covers, 0 to 1.
        weights: how much of the cell is known, 0 to 1.
    """

    logits: Float[Tensor, "B Q P"]
    shares: Float[Tensor, "B M P"]
    weights: Float[Tensor, "B 1 P"]


class MaskLosses(NamedTuple):
    """The parts, already weighted; their sum is the loss."""

    classes: Float[Tensor, ""]
    bce: Float[Tensor, ""]
    dice: Float[Tensor, ""]


def mask_losses(
    class_logits: Float[Tensor, "B Q K1"],
    mask_logits: Float[Tensor, "B Q h2 w2"],
    truth: SegmentTargets,
    *,
    cell_size: int,
) -> MaskLosses:
    """Gives each segment the query that is nearest to it, and says how far off that one is.

    Masks are compared cell by cell where there are few cells; of larger pictures at points drawn
    from torch's global generator, uniformly. Both parts of a mask's loss are means over masks: the
    cross-entropy of its cells, and 1 minus twice the overlap over the sum of the areas (dice).

    Args:
        class_logits: before the softmax; the last class is "no object".
        mask_logits: before the sigmoid, of each cell.
        truth: segments in the input's pixels; those without a pixel are left out.
        cell_size: pixels a side.
    """
    points = compare(mask_logits, truth, cell_size=cell_size)
    is_object = (truth.labels != PADDING) & (points.shares.sum(dim=2) > 0)
    class_logits = class_logits.float()
    queries = assign(_costs(class_logits, points, truth.labels), is_object)  # B M

    picture, segment = torch.nonzero(queries != NOBODY, as_tuple=True)
    query = queries[picture, segment]
    no_object = class_logits.shape[2] - 1
    wanted = torch.full_like(class_logits[:, :, 0], no_object, dtype=torch.long)  # B Q
    wanted[picture, query] = truth.labels[picture, segment]
    weights = class_logits.new_ones(no_object + 1)
    weights[no_object] = NO_OBJECT_WEIGHT
    classes = F.cross_entropy(class_logits.flatten(0, 1), wanted.flatten(), weight=weights)

    x, y = points.logits[picture, query], points.shares[picture, segment]  # n P each
    w = points.weights[picture, 0]  # n P
    count = max(len(x), 1)
    bce = ((F.softplus(x) - x * y) * w).sum(dim=1) / w.sum(dim=1).clamp(min=1)
    probs = x.sigmoid() * w
    dice = 1 - (2 * (probs * y).sum(dim=1) + 1) / (probs.sum(dim=1) + (y * w).sum(dim=1) + 1)
    return MaskLosses(
        classes=CLASS_WEIGHT * classes,
        bce=BCE_WEIGHT * bce.sum() / count,
        dice=DICE_WEIGHT * dice.sum() / count,
    )


def compare(
    mask_logits: Float[Tensor, "B Q h2 w2"], truth: SegmentTargets, *, cell_size: int
) -> Points:
    """Logits and truth at every cell, or at points drawn from a large picture."""
    height, width = mask_logits.shape[2:]
    if height * width > MOST_POINTS:
        return _drawn(mask_logits, truth, cell_size)
    shares, weights = cell_shares(truth, cell_size, height=height, width=width)
    return Points(mask_logits.float().flatten(2), shares, weights)


@torch.no_grad()
def cell_shares(
    truth: SegmentTargets, cell_size: int, *, height: int, width: int
) -> tuple[Float[Tensor, "B M P"], Float[Tensor, "B 1 P"]]:
    """How much of the known part of each cell each segment covers, and how large that part is.

    Of the known part: a cell that reaches beyond the picture belongs to an object as a whole when
    all of it inside the picture does.

    The naive version asks each pixel of a cell for its segment. One histogram over (picture,
    segment, cell) does the same without a mask per segment at full size.

    Args:
        truth: in the input's pixels.
        cell_size: pixels a side.
        height, width: of the map of cells, which may reach beyond the picture.
    """
    batch, num_segments = truth.labels.shape
    segments = truth.segments.long()
    missing = (width * cell_size - segments.shape[2], height * cell_size - segments.shape[1])
    segments = F.pad(segments, (0, missing[0], 0, missing[1]), value=IGNORED_SEGMENT)
    row = torch.arange(segments.shape[1], device=segments.device) // cell_size
    column = torch.arange(segments.shape[2], device=segments.device) // cell_size
    cell = row[:, None] * width + column  # H W
    picture = torch.arange(batch, device=segments.device)[:, None, None]
    num_rows, num_cells = num_segments + 2, height * width  # ignored, none, and the segments
    place = (picture * num_rows + segments + 1) * num_cells + cell
    counts = torch.bincount(place.flatten(), minlength=batch * num_rows * num_cells)
    counts = counts.view(batch, num_rows, num_cells)
    known = cell_size**2 - counts[:, :1]  # pixels
    return counts[:, 2:] / known.clamp(min=1), known / cell_size**2


def _drawn(mask_logits: Tensor, truth: SegmentTargets, cell_size: int) -> Points:
    """Logits between cells, bilinearly as in an answer, and the segment of the pixel there."""
    batch, num_segments = truth.labels.shape
    height, width = truth.segments.shape[1:]
    device = truth.segments.device
    at = torch.rand(batch, MOST_POINTS, 2, device=device)  # x and y, as shares of the picture
    pixel = (at * at.new_tensor([width, height])).long()
    pixel = pixel.minimum(pixel.new_tensor([width - 1, height - 1]))
    segment = truth.segments.flatten(1).gather(1, pixel[:, :, 1] * width + pixel[:, :, 0])  # B P
    numbers = torch.arange(1, num_segments + 1, device=device)
    reach = at.new_tensor(mask_logits.shape[:1:-1]) * cell_size  # width, height
    inside = (pixel + 0.5) / reach * 2 - 1
    logits = F.grid_sample(
        mask_logits.float(), inside[:, None], padding_mode="border", align_corners=False
    )
    return Points(
        logits[:, :, 0],
        (segment[:, None] == numbers[:, None]).float(),
        (segment != IGNORED_SEGMENT).float()[:, None],
    )


@torch.no_grad()
def _costs(
    class_logits: Float[Tensor, "B Q K1"], points: Points, labels: Int64[Tensor, "B M"]
) -> Float[Tensor, "B Q M"]:
    """What each query would cost for each segment: the losses, by matrix products."""
    columns = labels.clamp(min=0)[:, None].expand(-1, class_logits.shape[1], -1)
    probs = class_logits.softmax(dim=2).gather(2, columns)  # B Q M
    logits, weights = points.logits, points.weights  # B Q P, B 1 P
    shares = (points.shares * weights).transpose(1, 2)  # B P M
    known = weights.sum(dim=2, keepdim=True).clamp(min=1)  # B 1 1
    bce = (F.softplus(logits) * weights).sum(dim=2, keepdim=True) - logits @ shares
    inside = logits.sigmoid() * weights  # B Q P
    areas = inside.sum(dim=2, keepdim=True) + shares.sum(dim=1)[:, None]
    dice = 1 - (2 * inside @ shares + 1) / (areas + 1)
    return -CLASS_WEIGHT * probs + BCE_WEIGHT * bce / known + DICE_WEIGHT * dice
