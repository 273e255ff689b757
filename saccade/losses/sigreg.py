"""SIGReg: vectors of many pictures look Gaussian along every direction (arXiv 2511.08544)."""

import torch
from jaxtyping import Float
from torch import Tensor

NUM_POINTS = 9
"""Of the integral over t, on one side of zero."""

LARGEST_T = 5.0
"""The weight of what lies beyond is below 4e-6."""


def sigreg(views: Float[Tensor, "V B D"], directions: Float[Tensor, "D S"]) -> Float[Tensor, ""]:
    """The Epps-Pulley statistic of Gaussianity, the mean over directions and views.

    Along a direction the numbers x of B pictures have the characteristic function
    ``phi(t) = mean(exp(i t x))``; a standard Gaussian has ``exp(-t^2 / 2)``. The statistic is
    ``B * integral of |phi(t) - exp(-t^2 / 2)|^2 exp(-t^2 / 2) dt`` (Epps and Pulley, Biometrika 70,
    1983), here by the trapezoidal rule on [0, 5], doubled, since the function is even. Its gradient
    is bounded: it needs no clipping, and fades when all vectors are one.

    Args:
        views: projected vectors, in fp32.
        directions: to look along, each of unit length.
    """
    num_pictures = views.shape[1]
    t = torch.linspace(0, LARGEST_T, NUM_POINTS, device=views.device)
    gaussian = torch.exp(-(t**2) / 2)
    angles = (views @ directions)[..., None] * t  # V B S T
    real, imaginary = angles.cos().mean(dim=1), angles.sin().mean(dim=1)  # V S T
    distance = ((real - gaussian).square() + imaginary.square()) * gaussian
    return 2 * num_pictures * torch.trapezoid(distance, t, dim=2).mean()
