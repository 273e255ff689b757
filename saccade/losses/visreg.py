"""VISReg: vectors of many pictures keep a mean, a width and a shape (arXiv 2606.02572)."""

import torch
from jaxtyping import Float
from torch import Tensor

_EPS = 1e-4  # added to deviations before dividing by them


def visreg(
    views: Float[Tensor, "V B D"], directions: Float[Tensor, "D S"]
) -> dict[str, Float[Tensor, ""]]:
    """How far the vectors of a batch are from a standard Gaussian, view by view.

    The plain version, for one view z of B pictures, with q the B quantiles of a Gaussian::

        centre = mean over d of mean(z[:, d]) ** 2
        scale = mean over d of (1 - std(z[:, d])) ** 2
        unit = (z - mean(z)) / std(z)
        shape = mean over s of mean((sort(unit @ directions[:, s]) - q) ** 2)

    The last is the squared Wasserstein distance in one dimension. The gradient of ``scale`` stays
    as vectors fall together, which is what keeps them from it; that of ``shape`` grows, so
    gradients have to be clipped.

    The paper lets no gradient through the deviation that ``shape`` divides by. Then ``shape``, too,
    pulls vectors together, the harder the closer they are: by 1 less the correlation of a line with
    the quantiles, over the deviation. That is little in a batch of hundreds and too much in a small
    one: eight pictures collapse within thirty steps (deviation 0.06), and with the gradient they
    reach 0.85. So here the deviation is part of ``shape``, which then says nothing about scale.

    Args:
        views: projected vectors, in fp32; at least two pictures.
        directions: to look along, each of unit length; see ``random_directions``.

    Returns:
        ``centre``, ``scale`` and ``shape``, to be added up.
    """
    mean = views.mean(dim=1, keepdim=True)  # V 1 D
    std = views.std(dim=1, keepdim=True, correction=0)
    unit = (views - mean) / (std + _EPS)
    seen = (unit @ directions).mT  # V S B: sorting neighbours in memory is faster
    quantiles = _gaussian_quantiles(views.shape[1], device=views.device)
    return {
        "centre": mean.square().mean(),
        "scale": (1 - std).square().mean(),
        "shape": (seen.sort(dim=2).values - quantiles).square().mean(),
    }


def random_directions(
    dim: int, *, count: int, device: torch.device, generator: torch.Generator | None = None
) -> Float[Tensor, "D S"]:
    """``count`` random directions of unit length, the same on every device.

    Args:
        dim: D.
        count: S.
        device: where they are wanted.
        generator: on the CPU; None: torch's global one.
    """
    drawn = torch.randn(dim, count, generator=generator)
    return (drawn / drawn.norm(dim=0)).to(device)


def _gaussian_quantiles(count: int, *, device: torch.device) -> Float[Tensor, " B"]:
    """Of a standard Gaussian at i / (count + 1): never at 0 or 1, where they are infinite."""
    share = torch.arange(1, count + 1, device=device, dtype=torch.float32) / (count + 1)
    return torch.special.ndtri(share)
