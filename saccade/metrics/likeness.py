"""How like two pictures are, pixel by pixel and window by window."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

WINDOW_PX = 11
"""The side of the window that SSIM looks through; smaller pictures have a smaller one."""

WINDOW_SIGMA_PX = 1.5

HIGHEST_PSNR = 100.0
"""Of equal pictures, whose ratio would have no bound."""


def psnr(a: UInt8[Tensor, "B C H W"], b: UInt8[Tensor, "B C H W"]) -> Float64[Tensor, " B"]:
    """The peak signal-to-noise ratio of each pair in decibels: ``10 log10(255^2 / error)``.

    The error is the mean squared difference of the pixels of all channels. From 0 for black against
    white to ``HIGHEST_PSNR``.
    """
    error = (a.double() - b.double()).square().mean(dim=(1, 2, 3))
    return (10 * torch.log10(255**2 / error)).clamp(max=HIGHEST_PSNR)


def ssim(a: UInt8[Tensor, "B C H W"], b: UInt8[Tensor, "B C H W"]) -> Float64[Tensor, " B"]:
    """The structural similarity of each pair, from -1 to 1: the mean over windows and channels.

    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", IEEE Transactions on Image Processing 13 (2004): Gaussian windows of 11
    pixels and sigma 1.5, only those that lie in the picture as a whole, K1 = 0.01 and K2 = 0.03.
    """
    window = _window(min(WINDOW_PX, a.shape[2], a.shape[3]), a.device)
    x, y = a.double().flatten(0, 1)[:, None], b.double().flatten(0, 1)[:, None]  # B*C 1 H W

    def seen(values: Float64[Tensor, "BC 1 H W"]) -> Float64[Tensor, "BC 1 h w"]:
        return F.conv2d(F.conv2d(values, window[None, None, :, None]), window[None, None, None])

    mean_x, mean_y = seen(x), seen(y)
    var_x, var_y = seen(x * x) - mean_x**2, seen(y * y) - mean_y**2
    shared = seen(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    brightness = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * shared + c2) / (var_x + var_y + c2)
    return (brightness * structure).unflatten(0, a.shape[:2]).mean(dim=(1, 2, 3, 4))


def _window(size: int, device: torch.device) -> Float[Tensor, " size"]:
    """A Gaussian that sums to 1; of an odd size, so that it has a middle."""
    size -= 1 - size % 2
    offsets = torch.arange(size, device=device, dtype=torch.float64) - size // 2
    weights = torch.exp(-offsets.square() / (2 * WINDOW_SIGMA_PX**2))
    return weights / weights.sum()
