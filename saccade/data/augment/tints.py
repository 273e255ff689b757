"""Random colours for views of pictures, for a whole batch on its device.

Brightness, contrast, saturation, hue and greying are each a 3 x 3 matrix on the colours of a pixel
(and an offset), so together they are one: each pixel is computed and rounded once.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)
# Colours as brightness and two differences of colour (the YIQ of NTSC); hue turns the differences.
_YIQ = (_LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))

# As in DINO and its successors (arXiv 2104.14294), at colour = 1.
_CHANGED, _GREY, _SOLARISED = 0.8, 0.2, 0.2  # probabilities
_BRIGHTNESS = _CONTRAST = 0.4  # factors lie in 0.6 to 1.4
_SATURATION, _HUE = 0.2, 0.1  # 0.8 to 1.2; up to a tenth of a turn either way
_SMALLEST_BLURRED = 64  # pixels a side
_SIGMAS = (0.1 / 224, 2.0 / 224)  # of the blur, as a share of the short side


def tint(
    views: Float32[Tensor, "V B C H W"],
    *,
    colour: float,
    blur: float,
    generator: torch.Generator | None,
) -> UInt8[Tensor, "V B C H W"]:
    """Changes the colours of each view at random, and blurs some large ones.

    Args:
        views: from 0 to 255; grey (C = 1) or RGB (C = 3). Grey ones have no hue to change.
        colour: how strongly, 0 to 1; 0: not at all.
        blur: probability of a Gaussian blur, for views of at least 64 pixels a side.
        generator: on the CPU; None: torch's global one.
    """
    flat = views.flatten(0, 1)  # N C H W
    if colour and len(flat):
        flat = _recolour(flat, colour, generator)
    if blur and len(flat) and min(flat.shape[2:]) >= _SMALLEST_BLURRED:
        flat = _blur(flat, blur, generator)
    return flat.round().clamp(0, 255).to(torch.uint8).view(views.shape)


def _recolour(
    images: Float32[Tensor, "N C H W"], colour: float, generator: torch.Generator | None
) -> Float32[Tensor, "N C H W"]:
    """One matrix and one offset per picture, then a negative of what is bright in some (solarise).

    All matrices have rows that sum to 1, up to brightness and contrast, so that the offset of the
    contrast, a grey, passes through the others unchanged.
    """
    count, channels, height, width = images.shape
    draws = torch.rand(7, count, generator=generator)
    strength = colour * (draws[0] < _CHANGED).float()
    brightness = 1 + (2 * draws[1] - 1) * _BRIGHTNESS * strength
    contrast = 1 + (2 * draws[2] - 1) * _CONTRAST * strength
    gain = (brightness * contrast).to(images.device)
    offset = (brightness * (1 - contrast)).to(images.device)  # of the mean brightness
    pixels = images.flatten(2)  # N C HW
    mean = _luma(pixels.mean(dim=2, keepdim=True))[:, 0, 0]  # N
    matrix = torch.ones(count, 1, 1)
    if channels == 3:
        matrix = _colour_matrix(
            saturation=1 + (2 * draws[3] - 1) * _SATURATION * strength,
            turn=(2 * draws[4] - 1) * _HUE * strength,
            is_grey=draws[5] < _GREY * colour,
        )
    matrix = matrix.to(images.device) * gain[:, None, None]
    pixels = torch.baddbmm((offset * mean)[:, None, None], matrix, pixels)
    solarised = (draws[6] < _SOLARISED * colour).nonzero()[:, 0].to(images.device)
    # Folded in the middle: x below it, 255 - x above.
    pixels[solarised] = 127.5 - (pixels[solarised] - 127.5).abs()
    return pixels.clamp(0, 255).unflatten(2, (height, width))


def _colour_matrix(
    *, saturation: Float32[Tensor, " N"], turn: Float32[Tensor, " N"], is_grey: Tensor
) -> Float32[Tensor, "N 3 3"]:
    """Hue (in turns) and saturation, or grey; brightness stays as it is."""
    # In YIQ saturation scales the two differences and hue turns them.
    saturation = torch.where(is_grey, 0.0, saturation)
    angle = 2 * math.pi * turn
    cos, sin = saturation * angle.cos(), saturation * angle.sin()
    turned = torch.zeros(len(turn), 3, 3)
    turned[:, 0, 0] = 1
    turned[:, 1, 1], turned[:, 1, 2] = cos, -sin
    turned[:, 2, 1], turned[:, 2, 2] = sin, cos
    to_yiq = torch.tensor(_YIQ)
    return torch.linalg.inv(to_yiq) @ turned @ to_yiq


def _luma(colours: Float32[Tensor, "N C n"]) -> Float32[Tensor, "N 1 n"]:
    if colours.shape[1] == 1:
        return colours
    return (colours * colours.new_tensor(_LUMA)[:, None]).sum(dim=1, keepdim=True)


def _blur(
    images: Float32[Tensor, "N C H W"], probability: float, generator: torch.Generator | None
) -> Float32[Tensor, "N C H W"]:
    """A Gaussian of a width of its own for each picture, along the rows and then the columns."""
    count, channels, height, width = images.shape
    side = min(height, width)
    draws = torch.rand(2, count, generator=generator)
    chosen = (draws[0] < probability).nonzero()[:, 0]
    if not len(chosen):
        return images
    smallest, largest = (side * share for share in _SIGMAS)
    sigma = smallest + (largest - smallest) * draws[1][chosen]
    radius = math.ceil(3 * largest)
    distance = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-(distance**2) / (2 * sigma[:, None] ** 2))  # n 2r+1
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    kernel = kernel.to(images.device)[:, None, None]  # n*C 1 1 2r+1
    chosen = chosen.to(images.device)
    part = images[chosen].view(1, -1, height, width)  # every plane by itself
    for weight, padding in (
        (kernel, (radius, radius, 0, 0)),
        (kernel.mT, (0, 0, radius, radius)),
    ):
        part = F.conv2d(F.pad(part, padding, mode="reflect"), weight, groups=part.shape[1])
    return images.index_copy(0, chosen, part.view(-1, channels, height, width))
