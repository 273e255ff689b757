"""Training, validation and test are drawn with different people's handwriting."""

import numpy as np
from sklearn.datasets import load_digits

from saccade.data.canvas.handwriting import PARTS, handwriting, scikit_digits


def test_the_parts_are_all_digits_once_and_in_order():
    values, labels = load_digits(return_X_y=True)
    parts = [scikit_digits(part) for part in PARTS]
    found = np.concatenate([part.labels for part in parts])
    assert found.tolist() == np.asarray(labels).tolist()
    images = np.concatenate([part.images for part in parts])
    assert abs(images.reshape(-1, 64) * 16 - values).max() <= 16 / 255


def test_test_is_the_last_fifth_and_val_the_tenth_before_it():
    assert [len(scikit_digits(part)) for part in PARTS] == [1258, 180, 359]


def test_any_set_of_characters_will_do():
    images = np.arange(10 * 2 * 3, dtype=np.uint8).reshape(10, 2, 3)
    labels = np.arange(10) % 3
    test = handwriting(images, labels, part="test")
    assert test.images.tolist() == (images[8:].astype(np.float32) / 255).tolist()
    assert test.labels.tolist() == [2, 0]
    assert test.class_names == ("0", "1", "2")


def test_every_part_has_every_digit():
    for part in PARTS:
        assert set(scikit_digits(part).labels.tolist()) == set(range(10))
