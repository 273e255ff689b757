"""Pictures of more than 8 bits per pixel (16-bit, integer and float greys) as bytes."""

import numpy as np
from jaxtyping import Shaped, UInt8

_UNSIGNED_16 = 65535.0
_FLOAT_RANGES = (1.0, 255.0, _UNSIGNED_16)


def wide_to_bytes(values: Shaped[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    """Scales wide greys to 0 to 255 by the range they can have, not the range they happen to use.

    - 16-bit pixels: 0 to 65535 become 0 to 255.
    - Other integers: the same if all lie in that range (16-bit data in a wider file).
    - Floats: by the smallest of the ranges 0 to 1, 0 to 255 and 0 to 65535 that holds them all;
      values that are not finite count as 0.
    - Anything else has no range to go by: its own minimum and maximum become 0 and 255.

    So a dark picture stays dark, whereas cutting off at 255 would turn a 16-bit picture white.

    Args:
        values: grey values of any numeric type.
    """
    exact = np.asarray(values, dtype=np.float64)
    if not np.isfinite(exact).all():
        exact = np.where(np.isfinite(exact), exact, 0.0)
    low, high = float(exact.min()), float(exact.max())

    full_ranges = _FLOAT_RANGES if values.dtype.kind == "f" else (_UNSIGNED_16,)
    full = next((full for full in full_ranges if high <= full), None)
    if full is None or low < 0:
        exact, full = exact - low, (high - low) or 1.0
    return np.rint(exact * 255 / full).astype(np.uint8)
