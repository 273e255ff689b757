"""What a model looked at, drawn over the picture."""

import math

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib import colormaps
from PIL import Image

SMALLEST_SIDE_PX = 224  # of the longer side: below it, people cannot see where the colour lies
PIXEL_ART_PX = 48  # below this longer side, pixels are shown as squares rather than smoothed

GAP_PX = 6  # between the frames of a clip

# How much colour covers the picture where heat is 0 and where it is 1. inferno runs from black to
# light yellow with evenly rising lightness, so cold places are dimmed, hot ones glow, and the order
# survives colour blindness and a grey printer; at least 35 % of the picture always shows through.
_COVER_COLD, _COVER_HOT = 0.30, 0.65


def overlay(
    image: UInt8[np.ndarray, "H W C"], heat: Float[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "H2 W2 3"]:
    """Colours a grey version of a picture by heat: dark is ignored, bright yellow is looked at.

    Args:
        image: grey (C = 1) or RGB (C = 3), 0 to 255.
        heat: one number per cell of any grid laid over the whole picture, 0 (cold) to 1 (hot).

    Returns:
        An RGB picture of the same aspect, enlarged by a whole factor so that its longer side has
        at least 224 pixels.

    Raises:
        ValueError: if ``heat`` has numbers outside [0, 1] or that are not finite.
    """
    if not ((heat >= -1e-3) & (heat <= 1 + 1e-3)).all():  # false for NaN too
        raise ValueError(
            f"heat runs from {heat.min()} to {heat.max()}, expected numbers in [0, 1]: "
            "scale it by its largest value first"
        )
    height, width, _ = image.shape
    factor = max(1, math.ceil(SMALLEST_SIDE_PX / max(height, width)))
    size = (width * factor, height * factor)
    is_pixel_art = max(height, width) < PIXEL_ART_PX
    picture = _as_grey(image).resize(
        size, Image.Resampling.NEAREST if is_pixel_art else Image.Resampling.BICUBIC
    )
    smooth = Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    warmth = np.clip(np.asarray(smooth), 0.0, 1.0)

    grey = np.asarray(picture, dtype=np.float32)[:, :, None]
    colour = colormaps["inferno"](warmth)[:, :, :3] * 255
    cover = (_COVER_COLD + (_COVER_HOT - _COVER_COLD) * warmth)[:, :, None]
    return np.rint(grey * (1 - cover) + colour * cover).astype(np.uint8)


def strip(
    image: UInt8[np.ndarray, "C H W"] | UInt8[np.ndarray, "T C H W"],
    heat: Float[np.ndarray, "h w"] | Float[np.ndarray, "t h w"],
) -> UInt8[np.ndarray, "H2 W2 3"]:
    """The overlay of a picture; of a clip, those of its frames side by side, a white line between.

    Args:
        image: as a model is given it.
        heat: of a clip it may have fewer steps in time than frames; each lasts for some of them.
    """
    if image.ndim == 3:
        return overlay(image.transpose(1, 2, 0), heat)
    per_step = len(image) / len(heat)
    frames = [
        overlay(frame.transpose(1, 2, 0), heat[int(number / per_step)])
        for number, frame in enumerate(image)
    ]
    line = np.full((len(frames[0]), GAP_PX, 3), 255, np.uint8)
    return np.concatenate([part for frame in frames for part in (frame, line)][:-1], axis=1)


def _as_grey(image: UInt8[np.ndarray, "H W C"]) -> Image.Image:
    if image.shape[2] == 1:
        return Image.fromarray(image[:, :, 0])
    return Image.fromarray(image).convert("L")
