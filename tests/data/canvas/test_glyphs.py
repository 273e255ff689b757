"""Characters come out in the size asked for, cut to their ink, and still look like themselves."""

import numpy as np
import pytest
from PIL import Image

from saccade.data.canvas.chance import Chance
from saccade.data.canvas.glyphs import INK, draw_glyph
from saccade.data.canvas.handwriting import scikit_digits

BAR = np.pad(np.ones((6, 2), dtype=np.float32), 1)  # a 1, with a margin


def drawn(number: int, character: np.ndarray, size_px: float) -> np.ndarray:
    return draw_glyph(Chance(seed=0, stream=0, number=number), character, size_px=size_px)


@pytest.mark.parametrize("size_px", [12.0, 20.0, 40.0])
def test_the_longer_side_is_about_the_size_asked_for(size_px: float):
    sides = [max(drawn(k, BAR, size_px).shape) for k in range(30)]
    assert np.mean(sides) == pytest.approx(size_px, rel=0.12)
    assert max(sides) < 1.35 * size_px


def test_nothing_but_ink_touches_the_four_edges():
    for k in range(30):
        ink = drawn(k, scikit_digits("train").images[k], 17.0)
        edges = (ink[0], ink[-1], ink[:, 0], ink[:, -1])
        assert all((edge > INK).any() for edge in edges)
        assert 0 <= ink.min() <= ink.max() <= 1


def test_a_margin_round_the_character_changes_nothing():
    wide = np.pad(BAR, 5)
    np.testing.assert_allclose(drawn(3, wide, 20.0), drawn(3, BAR, 20.0), atol=1e-6)


def test_no_two_are_slanted_alike():
    shapes = {drawn(k, BAR, 30.0).shape for k in range(12)}
    assert len(shapes) > 4


def test_a_blank_character_still_is_a_dot():
    assert drawn(0, np.zeros((8, 8), dtype=np.float32), 20.0).tolist() == [[1.0]]


def test_a_reader_of_the_plain_digits_reads_the_drawn_ones():
    # Nearest neighbours among the plain digits, both brought to 8 x 8 pixels of ink.
    digits = scikit_digits("train")
    tidy = np.stack([shrunk(image > 0.3) for image in digits.images[:700]])
    right = 0
    for k in range(700, 800):
        query = shrunk(drawn(k, digits.images[k], 24.0) > INK)
        nearest = ((tidy - query) ** 2).sum((1, 2)).argmin()
        right += int(digits.labels[nearest] == digits.labels[k])
    assert right > 70


def shrunk(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    tight = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(Image.fromarray(tight.astype(np.float32)).resize((8, 8)))
