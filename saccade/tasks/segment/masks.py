"""What is said about the objects of pictures, and what is true, as masks."""

from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from jaxtyping import Float, Int32, Int64
from torch import Tensor

from saccade.metrics.average_precision import Truth


@dataclass(frozen=True, kw_only=True)
class Masks:
    """A mask for each query, from the highest score down; they may overlap.

    Attributes:
        scores: the probability of the class times the mean probability inside the mask.
        labels: class ids.
        mask_logits: of each cell of the padded input.
        cell_size: pixels a side.
        height, width: of the input in pixels.
    """

    scores: Float[Tensor, "B Q"]
    labels: Int64[Tensor, "B Q"]
    mask_logits: Float[Tensor, "B Q h2 w2"]
    cell_size: int
    height: int
    width: int

    def probs(self, picture: int) -> Float[Tensor, "Q H W"]:
        """How likely each pixel of the input belongs to each mask of one picture.

        Logits are enlarged, not probabilities: so a border lies where it would be between cells.
        """
        logits = self.mask_logits[picture][None]
        if self.cell_size > 1:
            logits = F.interpolate(
                logits, scale_factor=self.cell_size, mode="bilinear", align_corners=False
            )
        return logits[0, :, : self.height, : self.width].sigmoid()


def true_regions(segments: Int32[np.ndarray, "H W"], labels: Int64[np.ndarray, " m"]) -> Truth:
    """What average precision needs to know of a picture; segments without a pixel are left out."""
    numbers = np.arange(1, len(labels) + 1)
    regions = segments[None] == numbers[:, None, None]
    is_there = regions.any(axis=(1, 2))
    return Truth(
        regions=regions[is_there],
        labels=labels[is_there],
        is_crowd=np.zeros(int(is_there.sum()), dtype=bool),
    )
