"""Along the line from noise to pictures, step by step; and noise that belongs to a picture."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from saccade.data.augment.draws import uniform

Velocity = Callable[[Tensor, Tensor], Tensor]
"""From a point (B C H W) and its time (B) to the direction there (B C H W)."""

JUDGED_TIMES = 4
"""Times at which a picture's loss is taken where it has to be the same each time."""

JUDGING_SEED = 0
"""Of the noise there."""

_NOISE, _TIME = 0, 1  # what a picture's draws are for; the epoch of ``uniform``, so never the same


class Point(NamedTuple):
    """Where a sampler stands.

    Attributes:
        time: from 0 (noise) to 1 (picture).
        images: the points, one for each picture.
    """

    time: float
    images: Float[Tensor, "B C H W"]


def heun(velocity: Velocity, noise: Float[Tensor, "B C H W"], *, num_steps: int) -> Iterator[Point]:
    """Integrates ``dz/dt = velocity(z, t)`` from 0 to 1 by Heun's method, the last step by Euler's.

    Heun's takes the mean of the directions at both ends of a step; at time 1 there is none, since
    the line ends there (arXiv 2206.00364, algorithm 1).

    Args:
        velocity: asked twice a step, and once in the last.
        noise: where to begin.
        num_steps: of equal length, at least 1.

    Yields:
        The beginning and the point after each step.
    """
    z = noise
    yield Point(0.0, z)
    for step in range(num_steps):
        start, end = step / num_steps, (step + 1) / num_steps
        direction = velocity(z, _times(z, start))
        there = z + (end - start) * direction
        if end < 1:
            direction = (direction + velocity(there, _times(z, end))) / 2
            there = z + (end - start) * direction
        z = there
        yield Point(end, z)


def last(points: Iterator[Point]) -> Float[Tensor, "B C H W"]:
    """The end of a line, without keeping the way there."""
    point = next(points)
    for point in points:  # noqa: B007 - only the last one is wanted
        pass
    return point.images


def noise_of(
    ids: Int64[Tensor, " B"], *, shape: tuple[int, int, int], seed: int, scale: float
) -> Float32[Tensor, "B C H W"]:
    """Gaussian noise of each picture, a pure function of the seed and of its id.

    Box and Muller's transform of two uniform numbers; in float64, since a vectorised sine may
    differ in its last bit with the place in a batch, and rounding to float32 hides that.

    Args:
        ids: of the pictures, or the numbers of samples.
        shape: C, H and W.
        seed: at least 0.
        scale: standard deviation.
    """
    count = math.prod(shape)
    draws = uniform(seed, _NOISE, ids, num=2 * count).double()
    radius = torch.sqrt(-2 * torch.log1p(-draws[:, :count]))  # of a number in (0, 1]
    angle = 2 * math.pi * draws[:, count:]
    return (scale * radius * torch.cos(angle)).float().unflatten(1, shape)


def times_of(
    ids: Int64[Tensor, " B"], *, mean: float, std: float, num: int, seed: int
) -> Float32[Tensor, "B num"]:
    """Times at which a picture is judged: ``num`` of them, each from its own part of all there are.

    Args:
        ids: of the pictures.
        mean, std: of the times' logits, as in training.
        num: times for each picture.
        seed: at least 0.
    """
    offset = uniform(seed, _TIME, ids, num=1).double()  # B 1
    parts = (torch.arange(num, device=ids.device, dtype=torch.float64) + offset) / num
    return logit_normal(parts.clamp(1e-6, 1 - 1e-6), mean=mean, std=std).float()


def logit_normal(
    quantiles: Float64[Tensor, "B num"], *, mean: float, std: float
) -> Float64[Tensor, "B num"]:
    """The times below which such a share of all times lies; arXiv 2403.03206, section 3.1."""
    return torch.sigmoid(mean + std * torch.special.ndtri(quantiles))


def _times(z: Float[Tensor, "B C H W"], time: float) -> Float[Tensor, " B"]:
    return torch.full((len(z),), time, device=z.device, dtype=z.dtype)
