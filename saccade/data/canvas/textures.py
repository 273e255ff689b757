"""Backgrounds: waves, clouds, slopes and grain in random colours."""

import math

import numpy as np
from jaxtyping import Float32
from PIL import Image

from saccade.data.canvas.chance import Chance

_SWING = (0.06, 0.2)  # how far a texture's brightness goes from its mean, of 1
_TINT = 0.25  # how far the channels are from grey
_NOISE = (0.01, 0.06)  # of single pixels


def texture(
    chance: Chance, *, height: int, width: int, is_grey: bool
) -> Float32[np.ndarray, "H W C"]:
    """A background, 0 to 1; grey (C = 1) or in colour (C = 3).

    Its waves are as wide and as bright as a pen's strokes, so that neither brightness nor the mere
    presence of an edge tells what is written on it.
    """
    channels = 1 if is_grey else 3
    parts = [
        _waves(chance, height, width),
        _clouds(chance, height, width, across=2 + chance.below(4)),
        _clouds(chance, height, width, across=8 + chance.below(16)),
        _slope(chance, height, width),
    ]
    shares = chance.numbers(len(parts)) ** 3  # so that mostly one of them is seen
    shares /= shares.sum()
    field = sum(share * part for share, part in zip(shares.tolist(), parts, strict=True))

    base = chance.between(0.2, 0.8) + (chance.numbers(3)[:channels] - 0.5) * _TINT
    swing = chance.between(*_SWING) * (0.5 + chance.numbers(3)[:channels])
    image = base + np.asarray(field)[:, :, None] * swing
    noise = chance.numbers(height, width)[:, :, None] - 0.5
    image += noise * 2 * chance.between(*_NOISE)
    return image.clip(0, 1).astype(np.float32)


def _waves(chance: Chance, height: int, width: int) -> Float32[np.ndarray, "H W"]:
    """A sine in some direction, -1 to 1; half of them with hard edges."""
    cycles, angle, phase, hardness = chance.numbers(4).tolist()
    cycles, angle = 2 + 10 * cycles, math.pi * angle
    side = max(height, width)
    x = np.arange(width, dtype=np.float32) * (math.cos(angle) * cycles / side)
    y = np.arange(height, dtype=np.float32) * (math.sin(angle) * cycles / side)
    wave = np.sin(2 * math.pi * (x[None, :] + y[:, None] + phase)).astype(np.float32)
    return (wave * (1 if hardness < 0.5 else 4)).clip(-1, 1)


def _clouds(chance: Chance, height: int, width: int, *, across: int) -> Float32[np.ndarray, "H W"]:
    """Random numbers on a coarse grid, made smooth between its points; about -1 to 1."""
    grid = (chance.numbers(across, across) * 2 - 1).astype(np.float32)
    smooth = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(smooth)


def _slope(chance: Chance, height: int, width: int) -> Float32[np.ndarray, "H W"]:
    """From dark to bright in some direction, -1 to 1."""
    angle = 2 * math.pi * chance.between(0.0, 1.0)
    x = np.linspace(-1, 1, width, dtype=np.float32) * math.cos(angle)
    y = np.linspace(-1, 1, height, dtype=np.float32) * math.sin(angle)
    return (x[None, :] + y[:, None]) / (abs(math.cos(angle)) + abs(math.sin(angle)))
