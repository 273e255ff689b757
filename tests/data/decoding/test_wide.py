"""Wide greys are scaled by the range they can have, and only without one by the range they use."""

import numpy as np
import pytest

from saccade.data.decoding.wide import wide_to_bytes


def test_every_16_bit_grey_equals_division_by_257():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert (wide_to_bytes(values) == np.rint(values / 257.0)).all()


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([[0, 257, 514]], dtype=np.int32), [0, 1, 2]),  # 16 bits in 32
        (np.array([[0, 50_000, 100_000]], dtype=np.int32), [0, 128, 255]),  # more: its own range
        (np.array([[-100, 0, 100]], dtype=np.int32), [0, 128, 255]),
        (np.array([[0.0, 0.2, 0.4]], dtype=np.float32), [0, 51, 102]),
        (np.array([[0.0, 51.0, 102.0]], dtype=np.float32), [0, 51, 102]),
        (np.array([[0.0, 257.0, 514.0]], dtype=np.float32), [0, 1, 2]),
        (np.array([[-1.0, 0.0, 1.0]], dtype=np.float32), [0, 128, 255]),
        (np.array([[np.nan, np.inf, 1.0]], dtype=np.float32), [0, 0, 255]),
        (np.array([[-5.0, -5.0]], dtype=np.float32), [0, 0]),  # no range at all
        (np.array([[-3e38, 3e38]], dtype=np.float32), [0, 255]),
    ],
)
def test_other_greys_are_scaled_by_the_range_that_holds_them(values: np.ndarray, wanted: list[int]):
    assert wide_to_bytes(values).ravel().tolist() == wanted
