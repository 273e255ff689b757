"""How much regions cover each other: boxes and masks, as the COCO tools measure it."""

import numpy as np
from jaxtyping import Bool, Float, Float64

_MOST_NUMBERS = 1 << 24  # of mask pixels held as floats at once: 64 MB

Regions = Float[np.ndarray, "_n 4"] | Bool[np.ndarray, "_n H W"]
"""Boxes (left, top, right, bottom) or masks, one for each object."""


def areas(regions: Regions) -> Float64[np.ndarray, " _n"]:
    """Pixels in each region."""
    if regions.ndim == 3:
        return regions.sum(axis=(1, 2)).astype(np.float64)
    sides = (regions[:, 2:] - regions[:, :2]).astype(np.float64)
    return sides.clip(min=0).prod(axis=1)


def overlaps(
    found: Regions, true: Regions, is_crowd: Bool[np.ndarray, " g"]
) -> Float64[np.ndarray, "d g"]:
    """The shared area of each pair over the area of both together; of a crowd, over the found one.

    A crowd is a region with many objects in it, and what lies inside covers a part of it only.

    Args:
        found, true: regions of one kind.
        is_crowd: which of the true ones stand for many objects.
    """
    both = _shared_by_masks(found, true) if found.ndim == 3 else _shared_by_boxes(found, true)
    own = areas(found)[:, None]
    whole = np.where(is_crowd, own, own + areas(true) - both)
    return np.divide(both, whole, out=np.zeros_like(both), where=whole > 0)


def _shared_by_boxes(a: np.ndarray, b: np.ndarray) -> Float64[np.ndarray, "d g"]:
    a, b = a.astype(np.float64)[:, None], b.astype(np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return sides.clip(min=0).prod(axis=-1)


def _shared_by_masks(a: np.ndarray, b: np.ndarray) -> Float64[np.ndarray, "d g"]:
    """Sums of products, some pixels at a time; exact, since no part has more than 2^24 of them."""
    num_pixels = a.shape[1] * a.shape[2]
    a, b = a.reshape(len(a), num_pixels), b.reshape(len(b), num_pixels)
    shared = np.zeros((len(a), len(b)))
    step = max(1, _MOST_NUMBERS // max(len(a) + len(b), 1))
    for start in range(0, num_pixels, step):
        part = slice(start, start + step)
        shared += a[:, part].astype(np.float32) @ b[:, part].astype(np.float32).T
    return shared
