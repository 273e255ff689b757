"""The border between data and task: many pictures of one size, as they leave the loader."""

from dataclasses import dataclass

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Many examples of one size.

    Attributes:
        images: pictures as bytes, 0 to 255, grey (C = 1) or RGB (C = 3).
        targets: the class id of each picture, 0 to K - 1; None where nothing is known (prediction).
        ids: each picture's place in its source; random choices about a picture depend on it alone.
    """

    images: UInt8[Tensor, "B C H W"]
    targets: Int64[Tensor, " B"] | None
    ids: Int64[Tensor, " B"]

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        return Batch(
            images=self.images.to(device, non_blocking=True),
            targets=None if self.targets is None else self.targets.to(device, non_blocking=True),
            ids=self.ids.to(device, non_blocking=True),
        )
