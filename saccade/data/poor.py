"""Pictures made poor in twelve ways and five strengths: what a camera, a net or the weather does.

Kinds in the spirit of arXiv 1903.12261, written anew and for any size: what has a place in the
picture (blur, shaking, fog, flakes) is measured by its short side, so that a strength means the
same for 32 pixels and for 512; noise, dead pixels, JPEG and blocks by its pixels. Each change
depends on the kind, the strength and the picture's number alone.
"""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageFilter

from saccade.data.decoding.decode import PictureHeader
from saccade.data.pictures import Pictures

STRENGTHS = (1, 2, 3, 4, 5)

_FLAKES = 48  # that fit beside each other along the short side

Pixels = Float32[np.ndarray, "H W C"]
"""From 0 to 1; what lies outside is cut off at the end."""


@dataclass(frozen=True)
class PoorPictures:
    """Other pictures, each made poor in one way as it is loaded.

    Attributes:
        pictures: as they are.
        kind: one of ``KINDS``.
        strength: 1 to 5.
    """

    pictures: Pictures
    kind: str
    strength: int

    def __len__(self) -> int:
        return len(self.pictures)

    def name(self, i: int) -> str:
        """That of the picture itself."""
        return self.pictures.name(i)

    def num_bytes(self, i: int) -> int:
        """Those of the picture itself."""
        return self.pictures.num_bytes(i)

    def stamp(self, i: int) -> str:
        """With the kind and the strength."""
        return f"{self.pictures.stamp(i)} {self.kind} {self.strength}"

    def content_hash(self, i: int) -> str:
        """That of the picture itself: a poor copy of a training picture was trained on."""
        return self.pictures.content_hash(i)

    def header(self, i: int) -> PictureHeader:
        """That of the picture itself."""
        return self.pictures.header(i)

    def load(self, i: int, *, channels: int, min_side: int | None) -> UInt8[np.ndarray, "H W C"]:
        """The pixels, made poor at the size that they are decoded in.

        Raises:
            UnreadablePicture: see ``decode``.
        """
        picture = self.pictures.load(i, channels=channels, min_side=min_side)
        return make_poor(picture, self.kind, self.strength, seed=i)

    def stack(self, *, height: int, width: int, channels: int) -> None:  # noqa: ARG002  as in Pictures
        """None: each is made as it is asked for."""
        return


def make_poor(
    picture: UInt8[np.ndarray, "H W C"], kind: str, strength: int, *, seed: int
) -> UInt8[np.ndarray, "H W C"]:
    """One picture, made poor.

    Args:
        picture: grey (C = 1) or RGB (C = 3).
        kind: one of ``KINDS``.
        strength: 1 (hardly seen) to 5 (hard for people too).
        seed: of what is random in it.
    """
    assert strength in STRENGTHS
    rng = np.random.default_rng((seed, list(KINDS).index(kind), strength))
    change, amounts = KINDS[kind]
    changed = change(picture.astype(np.float32) / 255, amounts[strength - 1], rng)
    return np.rint(np.clip(changed, 0, 1) * 255).astype(np.uint8)


def _gaussian_noise(x: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    return x + sigma * rng.standard_normal(x.shape, dtype=np.float32)


def _shot_noise(x: Pixels, photons: float, rng: np.random.Generator) -> Pixels:
    """Few photons: a bright pixel counts ``photons`` of them."""
    return np.asarray(rng.poisson(x * photons) / photons, np.float32)


def _impulse_noise(x: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Dead pixels, black or white."""
    draws = rng.random(x.shape[:2], dtype=np.float32)[:, :, None]
    x = np.where(draws < share / 2, np.float32(0), x)
    return np.where(draws > 1 - share / 2, np.float32(1), x)


def _blur(x: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """Out of focus; sigma as a share of the short side."""
    del rng
    radius = sigma * min(x.shape[:2])
    return _by_pillow(x, lambda image: image.filter(ImageFilter.GaussianBlur(radius)))


def _motion(x: Pixels, length: float, rng: np.random.Generator) -> Pixels:
    """A shaken camera: the mean along a line, whose length is a share of the short side."""
    angle, reach = rng.uniform(0, math.pi), length * min(x.shape[:2]) / 2
    moved = [
        _shifted(x, t * reach * math.sin(angle), t * reach * math.cos(angle))
        for t in np.linspace(-1, 1, max(3, 2 * math.ceil(reach) + 1))
    ]
    return np.asarray(np.mean(moved, axis=0), np.float32)


def _fog(x: Pixels, density: float, rng: np.random.Generator) -> Pixels:
    """White clouds in front, thicker here and thinner there."""
    clouds = _clouds(x.shape[0], x.shape[1], rng)[:, :, None]
    cover = np.clip(density * (0.6 + 0.8 * clouds), 0, 0.97)
    return x * (1 - cover) + 0.95 * cover


def _snow(x: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Flakes drawn out by the wind, and a paler picture behind."""
    height, width = x.shape[:2]
    side = min(height, width)
    rows, columns = (max(8, round(_FLAKES * length / side)) for length in (height, width))
    flakes = Image.fromarray((rng.random((rows, columns)) < share).astype(np.uint8) * 255)
    flakes = flakes.resize((width, height), Image.Resampling.BILINEAR)
    falling = np.asarray(flakes, np.float32)[:, :, None] / 255
    streaks = [_shifted(falling, t, 0.4 * t) for t in np.linspace(0, side / 24, 5)]
    veil = np.clip(1.3 * np.max(streaks, axis=0), 0, 1)
    pale = x * (1 - share) + share
    return pale * (1 - veil) + veil


def _brightness(x: Pixels, gain: float, rng: np.random.Generator) -> Pixels:
    """Exposed for too long, or (below 1) hardly at all, which leaves noise."""
    if gain < 1:
        return x * gain + 0.02 * rng.standard_normal(x.shape, dtype=np.float32)
    return x * gain


def _contrast(x: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Everything nearer to the mean."""
    del rng
    return (x - x.mean()) * share + x.mean()


def _jpeg(x: Pixels, quality: float, rng: np.random.Generator) -> Pixels:
    del rng

    def packed(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(quality))
        return Image.open(file)

    return _by_pillow(x, packed)


def _pixelate(x: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Sides scaled down to a share, and up again in blocks."""
    del rng
    height, width = x.shape[:2]
    size = max(1, round(width * share)), max(1, round(height * share))

    def blocks(image: Image.Image) -> Image.Image:
        small = image.resize(size, Image.Resampling.BOX)
        return small.resize((width, height), Image.Resampling.NEAREST)

    return _by_pillow(x, blocks)


Change = Callable[[Pixels, float, np.random.Generator], Pixels]

KINDS: Mapping[str, tuple[Change, tuple[float, float, float, float, float]]] = {
    "gaussian noise": (_gaussian_noise, (0.04, 0.07, 0.10, 0.14, 0.20)),
    "shot noise": (_shot_noise, (250.0, 100.0, 50.0, 25.0, 12.0)),
    "dead pixels": (_impulse_noise, (0.01, 0.03, 0.06, 0.10, 0.17)),
    "out of focus": (_blur, (0.010, 0.016, 0.023, 0.033, 0.045)),
    "motion": (_motion, (0.05, 0.08, 0.12, 0.17, 0.23)),
    "fog": (_fog, (0.25, 0.38, 0.50, 0.62, 0.74)),
    "snow": (_snow, (0.02, 0.04, 0.07, 0.11, 0.16)),
    "dark": (_brightness, (0.65, 0.45, 0.30, 0.20, 0.12)),
    "overexposed": (_brightness, (1.3, 1.6, 2.0, 2.5, 3.2)),
    "low contrast": (_contrast, (0.65, 0.45, 0.30, 0.20, 0.12)),
    "jpeg": (_jpeg, (50.0, 30.0, 18.0, 11.0, 6.0)),
    "pixelated": (_pixelate, (0.75, 0.6, 0.48, 0.38, 0.29)),
}
"""How each is made, and how much of it for strengths 1 to 5."""

LIKE_AUGMENTATION = ("dark", "overexposed", "low contrast")
"""Kinds that a training with changed colours has seen the like of."""


def _by_pillow(x: Pixels, change: Callable[[Image.Image], Image.Image]) -> Pixels:
    """What Pillow makes of the picture, through bytes."""
    height, width, channels = x.shape
    whole = np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(whole[:, :, 0] if channels == 1 else whole)
    changed = np.asarray(change(image), np.float32) / 255
    return changed.reshape(height, width, channels)


def _shifted(x: Pixels, down: float, right: float) -> Pixels:
    """Moved by parts of a pixel, the border repeated."""
    for axis, by in ((0, down), (1, right)):
        whole = math.floor(by)
        part = by - whole
        places = np.arange(x.shape[axis])
        near = np.take(x, np.clip(places - whole, 0, len(places) - 1), axis=axis)
        far = np.take(x, np.clip(places - whole - 1, 0, len(places) - 1), axis=axis)
        x = near * (1 - part) + far * part
    return x.astype(np.float32)


def _clouds(height: int, width: int, rng: np.random.Generator) -> Float32[np.ndarray, "H W"]:
    """Noise of all widths, wide ones strongest, from 0 to 1."""
    total = np.zeros((height, width), np.float32)
    cells, weight = 2, 1.0
    while cells <= max(height, width):
        coarse = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
        total += weight * np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
        cells, weight = cells * 2, weight * 0.6
    low, high = total.min(), total.max()
    return (total - low) / max(high - low, 1e-6)
