"""Random numbers without a state: each is a pure function of (seed, epoch, picture, column).

A picture's draws do not depend on its batch, its neighbours, the number of threads or on what was
drawn before, so a run can resume at any step and see exactly what it would have seen.
"""

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

_MASK_64 = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: neighbouring inputs land far apart
# The finaliser of splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
# Generators", OOPSLA 2014): shift, multiply, shift, multiply, shift.
_SHIFTS = (30, 27, 31)
_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def uniform(
    seed: int, epoch: int, ids: Int64[Tensor, " B"], *, num: int
) -> Float32[Tensor, "B num"]:
    """Draws ``num`` numbers for each picture.

    The plain version, with ``mix`` the splitmix64 finaliser on 64-bit integers that wrap::

        for b, picture in enumerate(ids):
            key = mix(mix(mix(seed) + epoch) + picture)
            for column in range(num):
                draws[b, column] = (mix(key + (column + 1) * GOLDEN) >> 40) / 2**24

    Args:
        seed: the run's seed, at least 0.
        epoch: which pass over the data, from 0.
        ids: the pictures' ids, on any device; the draws are made there.
        num: how many numbers per picture; more columns do not change the earlier ones.

    Returns:
        Numbers in [0, 1), multiples of 2^-24.
    """
    keys = _mix(ids + _signed(_key(seed, epoch)))
    columns = torch.arange(1, num + 1, device=ids.device) * _signed(_GOLDEN)
    bits = _mix(keys[:, None] + columns)
    return ((bits >> 40) & 0xFFFFFF).to(torch.float32) / (1 << 24)


def permutation(seed: int, epoch: int, n: int) -> Int64[np.ndarray, " n"]:
    """The order in which an epoch visits ``n`` pictures.

    It sorts a hash of each position instead of asking numpy for a shuffle, because numpy may change
    its random streams between releases and a resumed run must not.

    Args:
        seed: the run's seed, at least 0.
        epoch: which pass over the data, from 0.
        n: number of pictures.

    Returns:
        Each of 0 to ``n - 1`` once.
    """
    # The salt keeps the order independent of what uniform() draws for the same seed and epoch.
    key = _signed(_key(seed, epoch) ^ _GOLDEN)
    return torch.argsort(_mix(torch.arange(n) + key), stable=True).numpy()


def _key(seed: int, epoch: int) -> int:
    """One 64-bit number for a seed and an epoch."""
    assert seed >= 0
    assert epoch >= 0
    return _mix_one((_mix_one(seed & _MASK_64) + epoch) & _MASK_64)


def _mix(x: Int64[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
    """The finaliser on tensors: int64 wraps like uint64, only ``>>`` must drop the copied sign."""
    first, second, third = _SHIFTS
    x = (x ^ _shift(x, first)) * _signed(_MULTIPLIERS[0])
    x = (x ^ _shift(x, second)) * _signed(_MULTIPLIERS[1])
    return x ^ _shift(x, third)


def _shift(x: Int64[Tensor, "*shape"], bits: int) -> Int64[Tensor, "*shape"]:
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix_one(x: int) -> int:
    first, second, third = _SHIFTS
    x = ((x ^ (x >> first)) * _MULTIPLIERS[0]) & _MASK_64
    x = ((x ^ (x >> second)) * _MULTIPLIERS[1]) & _MASK_64
    return x ^ (x >> third)


def _signed(x: int) -> int:
    """The same 64 bits as torch's int64 reads them."""
    return x - (1 << 64) if x >> 63 else x
