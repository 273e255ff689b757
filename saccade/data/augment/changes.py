"""Random changes of training pictures, in batch and on the batch's device.

All geometry is one resampling and all colour is one linear map: however many changes are on, each
pixel is interpolated once and rounded once.
"""

import math
from dataclasses import replace

import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from saccade.config.run import AugmentConfig
from saccade.data.augment.blend import blend, interval
from saccade.data.augment.draws import uniform
from saccade.data.batch import Batch
from saccade.data.targets import BlendedLabels
from saccade.data.warp import Warp

_LUMA = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)
_COLOUR_RANGE = 0.4  # at colour = 1 brightness, contrast and saturation lie in 0.6 to 1.4
_ERASE_AREA = (0.02, 0.25)  # of the picture
_ERASE_ASPECT = 3.0  # an erased rectangle is at most this often as long as wide

# Which draw decides what. New kinds go to the end: the earlier draws must not move.
_FLIP, _SHIFT_X, _SHIFT_Y, _ZOOM, _ROTATE, _SHEAR = range(6)
_BRIGHTNESS, _CONTRAST, _SATURATION = range(6, 9)
_ERASE, _ERASE_SIZE, _ERASE_SHAPE, _ERASE_X, _ERASE_Y = range(9, 14)
_BLEND = 14  # and the three after it
_NUM_DRAWS = 18


def augment(batch: Batch, config: AugmentConfig, *, seed: int, epoch: int) -> Batch:
    """Changes each picture at random.

    What happens to a picture is a function of (seed, epoch, its id) alone: it is the same, bit for
    bit, in a batch of one and in a batch of many. Only where pictures are blended does it matter
    which one is its neighbour.

    Args:
        batch: pictures as bytes.
        config: how strong each change is; a change of strength 0 is not computed.
        seed: the run's seed.
        epoch: which pass over the data, from 0.

    Returns:
        The batch with other images, and with targets that follow them; the very same batch when
        every strength is 0.
    """
    has_geometry = any(
        (config.flip, config.translate, config.zoom, config.rotate_degrees, config.shear)
    )
    has_blends = bool(config.mixup or config.cutmix)
    if not (has_geometry or config.colour or config.erase or has_blends):
        return batch
    # float64 for the few numbers per picture: a vectorised sine may differ in its last bit between
    # the body and the tail of a batch, and rounding to float32 afterwards hides that.
    draws = uniform(seed, epoch, batch.ids, num=_NUM_DRAWS).double()
    blend_draws = draws[:, _BLEND:]
    frames = batch.images
    if frames.ndim == 5:  # a clip changes as one: each of its frames in the same way
        draws = draws.repeat_interleave(frames.shape[1], dim=0)
        frames = frames.flatten(0, 1)

    images = frames.float()
    mean = _mean_colour(frames)
    targets = batch.targets
    if has_geometry:
        warp = _warp(draws, config, height=images.shape[2], width=images.shape[3])
        images = warp.images(images)
        if targets is not None and not isinstance(targets, Tensor | BlendedLabels):
            targets = targets.warp(warp)
    if config.colour:
        images, mean = _recolour(images, mean, draws, config.colour)
    if config.erase:
        images = _erase(images, mean, draws, config.erase)
    if has_blends:
        planes = images.view(len(batch), -1, *images.shape[2:])
        images, targets = blend(planes, batch.labels, blend_draws, config)
    images = images.round_().clamp_(0, 255).to(torch.uint8).view(batch.images.shape)
    return replace(batch, images=images, targets=targets)


def _warp(
    draws: Float64[Tensor, "B num"], config: AugmentConfig, *, height: int, width: int
) -> Warp:
    """Where each picture looks for its pixels.

    A pixel at p (in pixels from the centre) takes its value from
    ``flip . rotate . shear . (p - shift) / zoom``: the picture is mirrored, turned, slanted, scaled
    and moved, in that order.
    """
    spread = 2 * draws - 1  # in [-1, 1)

    angle = spread[:, _ROTATE] * math.radians(config.rotate_degrees)
    mirror = torch.where(draws[:, _FLIP] < config.flip, -1.0, 1.0).to(draws)
    scale = (1 + config.zoom) ** -spread[:, _ZOOM]
    slant = spread[:, _SHEAR] * config.shear
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale

    # The product of three 2 x 2 matrices, by hand: mirror, rotation (scaled), upper-right slant.
    xx, xy = mirror * cos, mirror * (cos * slant - sin)
    yx, yy = sin, sin * slant + cos
    shift_x = spread[:, _SHIFT_X] * config.translate * width
    shift_y = spread[:, _SHIFT_Y] * config.translate * height
    x0 = -(xx * shift_x + xy * shift_y) * 2 / width
    y0 = -(yx * shift_x + yy * shift_y) * 2 / height

    rows = (xx, xy * height / width, x0, yx * width / height, yy, y0)
    matrix = torch.stack(rows, dim=1).view(-1, 2, 3).float()
    return Warp(matrix=matrix, height=height, width=width)


def _mean_colour(images: UInt8[Tensor, "B C H W"]) -> Float32[Tensor, "B C"]:
    """Each picture's mean, 0 to 255; summed as integers, so exactly, whatever the batch size."""
    height, width = images.shape[-2:]
    return images.sum(dim=(2, 3)).double().div_(height * width).float()


def _luma(colour: Float32[Tensor, "B C *pixels"]) -> Float32[Tensor, "B 1 *pixels"]:
    """How bright a colour looks, 0 to 255; a grey picture is its own brightness."""
    if colour.shape[1] == 1:
        return colour
    red, green, blue = (colour[:, c : c + 1] * weight for c, weight in enumerate(_LUMA))
    return red.add_(green).add_(blue)


def _recolour(
    images: Float32[Tensor, "B C H W"],
    mean: Float32[Tensor, "B C"],
    draws: Float64[Tensor, "B num"],
    colour: float,
) -> tuple[Float32[Tensor, "B C H W"], Float32[Tensor, "B C"]]:
    """Brightness, then contrast about the mean brightness, then saturation about each grey.

    With factors b, c, s the three together make of a pixel x
    ``b c s x + b c (1 - s) luma(x) + b (1 - c) luma(mean)``.
    Grey pictures have no saturation, and there the middle term joins the first.

    Returns:
        The images, changed in place, and what has become of their mean colour.
    """
    factors = 1 + (2 * draws[:, _BRIGHTNESS : _SATURATION + 1] - 1) * (_COLOUR_RANGE * colour)
    brightness, contrast, saturation = factors[:, :, None].unbind(dim=1)  # each B 1
    own = (brightness * contrast * saturation).float()
    grey = (brightness * contrast * (1 - saturation)).float()
    offset = (brightness * (1 - contrast)).float() * _luma(mean)
    if images.shape[1] == 1:
        own = (brightness * contrast).float()
        grey = torch.zeros_like(grey)

    base = grey * _luma(mean) + offset
    mean = own * mean + base
    shared = offset[:, :, None, None]
    if images.shape[1] > 1:
        shared = _luma(images).mul_(grey[:, :, None, None]).add_(shared)
    return images.mul_(own[:, :, None, None]).add_(shared), mean


def _erase(
    images: Float32[Tensor, "B C H W"],
    mean: Float32[Tensor, "B C"],
    draws: Float64[Tensor, "B num"],
    probability: float,
) -> Float32[Tensor, "B C H W"]:
    """Covers one rectangle of some pictures with their mean colour (arXiv 1708.04896)."""
    height, width = images.shape[-2:]
    smallest, largest = _ERASE_AREA
    area = height * width * (smallest + (largest - smallest) * draws[:, _ERASE_SIZE])
    aspect = _ERASE_ASPECT ** (2 * draws[:, _ERASE_SHAPE] - 1)
    length_y = torch.sqrt(area * aspect).round().clamp_(1, height)
    length_x = torch.sqrt(area / aspect).round().clamp_(1, width)
    covered_y = interval(length_y, draws[:, _ERASE_Y], size=height)
    covered_x = interval(length_x, draws[:, _ERASE_X], size=width)
    chosen = draws[:, _ERASE] < probability
    covered = covered_y[:, None, :, None] & covered_x[:, None, None, :]
    return torch.where(covered & chosen[:, None, None, None], mean[:, :, None, None], images)
