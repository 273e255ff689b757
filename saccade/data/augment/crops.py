"""Views of pictures: random crops in random colours, made for a whole batch on its device.

Two views of one picture show the same thing and look different, which is all that learning without
labels needs. A crop is a translation and a scale, so all views of one size are one resampling.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from torch import Tensor

from saccade.config.task import PretrainConfig
from saccade.data.augment.tints import tint

LONGEST_ASPECT = 4 / 3
"""A crop is at most this often as wide as high, or as high as wide, for a square picture."""


class Views(NamedTuple):
    """The views of a batch, view by view.

    Attributes:
        whole: the V global views, most of a picture each.
        parts: the smaller V2 local ones; V2 may be 0.
    """

    whole: UInt8[Tensor, "V B C H W"]
    parts: UInt8[Tensor, "V2 B C h w"]


def make_views(
    images: UInt8[Tensor, "B C H W"],
    config: PretrainConfig,
    *,
    generator: torch.Generator | None = None,
) -> Views:
    """Draws the views of each picture.

    Args:
        images: as bytes, on any device, where the views are made too.
        config: how many, how large, how strongly changed.
        generator: on the CPU, for views that are the same each time; None: torch's global one.
            The draws do not depend on the device.
    """
    height, width = images.shape[2:]
    local_height, local_width = _local_size(height, width, config.local_size)
    # Autocast is for the model: colours in bf16 would come out in steps of two.
    with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
        whole = crop(
            images,
            num_views=config.num_global_views,
            height=height,
            width=width,
            area=(config.smallest_global, 1.0),
            flip=config.flip,
            generator=generator,
        )
        parts = crop(
            images,
            num_views=config.num_local_views,
            height=local_height,
            width=local_width,
            area=(config.smallest_local, config.largest_local),
            flip=config.flip,
            generator=generator,
        )
        return Views(
            whole=tint(whole, colour=config.colour, blur=config.blur, generator=generator),
            parts=tint(parts, colour=config.colour, blur=config.blur, generator=generator),
        )


def crop(
    images: UInt8[Tensor, "B C H W"],
    *,
    num_views: int,
    height: int,
    width: int,
    area: tuple[float, float],
    flip: float,
    generator: torch.Generator | None,
) -> Float32[Tensor, "V B C h w"]:
    """Cuts random boxes out of each picture and resamples them bilinearly to one size.

    The plain version, where ``place(length)`` is a uniform start of an interval inside [0, 1]::

        for view in range(num_views):
            for image in images:
                share = area[0] + (area[1] - area[0]) * uniform()
                aspect = LONGEST_ASPECT ** (2 * uniform() - 1)
                box_width, box_height = min(1, sqrt(share * aspect)), min(1, sqrt(share / aspect))
                box = image[place(box_height) :, place(box_width) :]  # so high, so wide
                views[view].append(resize(mirror(box) if uniform() < flip else box))

    A box that is smaller than the view is enlarged; one up to twice as large is sampled without
    visible harm. Global views of small pictures are always the first kind.

    Args:
        images: as bytes.
        num_views: V; may be 0.
        height, width: of the views, in pixels.
        area: the smallest and the largest share of a picture that is cut out.
        flip: probability of a mirror image.
        generator: on the CPU; None: torch's global one.

    Returns:
        Numbers from 0 to 255, not yet rounded.
    """
    shape = (len(images), num_views)
    draws = torch.rand(5, *shape, generator=generator).to(images.device)
    share = area[0] + (area[1] - area[0]) * draws[0]  # B V
    aspect = torch.exp((2 * draws[1] - 1) * math.log(LONGEST_ASPECT))
    wide, high = (share * aspect).sqrt().clamp(max=1), (share / aspect).sqrt().clamp(max=1)
    centre_x, centre_y = (1 - wide) * (2 * draws[2] - 1), (1 - high) * (2 * draws[3] - 1)
    wide = torch.where(draws[4] < flip, -wide, wide)

    # All views of a picture stand in one grid, one below the other: one resampling for all.
    x = centre_x[..., None] + wide[..., None] * _pixel_centres(width, images.device)  # B V w
    y = centre_y[..., None] + high[..., None] * _pixel_centres(height, images.device)  # B V h
    grid = images.new_empty(*shape, height, width, 2, dtype=torch.float32)
    grid[..., 0], grid[..., 1] = x[:, :, None, :], y[:, :, :, None]
    views = F.grid_sample(
        images.float(), grid.flatten(1, 2), padding_mode="border", align_corners=False
    )  # B C V*h w
    return views.unflatten(2, (num_views, height)).permute(2, 0, 1, 3, 4)


def _local_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """The size of local views, of the aspect of the pictures."""
    scale = short_side / min(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _pixel_centres(size: int, device: torch.device) -> Float32[Tensor, " size"]:
    """The middles of ``size`` pixels that together reach from -1 to 1."""
    return (torch.arange(size, device=device) * 2 + 1 - size).float() / size
