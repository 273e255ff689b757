"""One geometric change of a batch: of its pictures, and of all that is known about them."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float32, Shaped
from torch import Tensor

SMALLEST_VISIBLE = 0.3
"""An object of which less than this share of its box is left in the picture is left out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Warp:
    """Where each picture looks for its pixels.

    Attributes:
        matrix: from a new pixel to the old one, in coordinates from -1 to 1.
        height, width: of the pictures.
    """

    matrix: Float32[Tensor, "B 2 3"]
    height: int
    width: int

    def images(self, images: Float32[Tensor, "B C H W"]) -> Float32[Tensor, "B C H W"]:
        """Resamples each picture, bilinearly.

        Outside the picture its border pixel goes on: black stays black round a digit, and a
        photograph gets no dark wedges that would tell the model how far it was turned. Mirroring
        at the border would look better on photographs but can draw a second stroke beside a
        digit's first.
        """
        return F.grid_sample(images, self._grid(), padding_mode="border", align_corners=False)

    def maps(self, labels: Shaped[Tensor, "B H W"]) -> Shaped[Tensor, "B H W"]:
        """Moves numbers that cannot be mixed (nearest pixel), and goes on at the border alike."""
        moved = F.grid_sample(
            labels[:, None].double(),  # exact for every integer up to 2^53
            self._grid().double(),
            mode="nearest",
            padding_mode="border",
            align_corners=False,
        )
        return moved[:, 0].to(labels.dtype)

    def boxes(
        self, boxes_xyxy: Float32[Tensor, "B M 4"]
    ) -> tuple[Float32[Tensor, "B M 4"], Bool[Tensor, "B M"]]:
        """Moves boxes: each becomes the box round its four moved corners, cut at the border.

        Returns:
            The boxes, and which of them are still there: enough of them is in the picture.
        """
        size = boxes_xyxy.new_tensor([self.width, self.height])
        corners = boxes_xyxy[:, :, [0, 1, 2, 1, 2, 3, 0, 3]].unflatten(2, (4, 2))  # B M 4 2
        corners = corners * 2 / size - 1
        linear, shift = self.matrix[:, :, :2], self.matrix[:, :, 2]
        moved = (corners - shift[:, None, None]) @ torch.linalg.inv(linear).mT[:, None]
        moved = (moved + 1) * size / 2  # B M 4 2
        whole = torch.cat([moved.amin(dim=2), moved.amax(dim=2)], dim=2)  # B M 4
        cut = whole.clone()
        cut[:, :, 0::2] = whole[:, :, 0::2].clamp(0, self.width)
        cut[:, :, 1::2] = whole[:, :, 1::2].clamp(0, self.height)
        is_left = _area(cut) > SMALLEST_VISIBLE * _area(whole)
        return cut, is_left

    def _grid(self) -> Float32[Tensor, "B H W 2"]:
        """Where each new pixel lies in the old picture.

        ``F.affine_grid(matrix, (B, C, H, W), align_corners=False)`` as two broadcast sums: faster
        than its batched matrix product, and the same for every batch size.
        """
        x = _pixel_centres(self.width, device=self.matrix.device)
        y = _pixel_centres(self.height, device=self.matrix.device)
        along_x = self.matrix[:, :, 0, None] * x  # B 2 W
        along_y = self.matrix[:, :, 1, None] * y + self.matrix[:, :, 2, None]  # B 2 H
        grid = self.matrix.new_empty(len(self.matrix), self.height, self.width, 2)
        for axis in (0, 1):
            torch.add(along_x[:, axis, None, :], along_y[:, axis, :, None], out=grid[..., axis])
        return grid


def _pixel_centres(size: int, *, device: torch.device) -> Float32[Tensor, " size"]:
    """The middles of ``size`` pixels that together reach from -1 to 1."""
    return (torch.arange(size, device=device) * 2 + 1 - size).float() / size


def _area(boxes_xyxy: Float32[Tensor, "B M 4"]) -> Float32[Tensor, "B M"]:
    return (boxes_xyxy[:, :, 2:] - boxes_xyxy[:, :, :2]).prod(dim=2)
