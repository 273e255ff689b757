"""A generator draws as many as asked, of the classes asked, the same ones each time."""

from typing import Any

import numpy as np
import pytest

import saccade
from saccade.errors import UsageError
from saccade.serving.generate import Generator
from tests import tiny, tiny_flow


@pytest.fixture(scope="module")
def generator() -> Generator:
    loaded = saccade.load(tiny_flow.generator().run, device="cpu")
    assert isinstance(loaded, Generator)
    return loaded


def test_it_knows_the_classes_of_its_training(generator: Generator) -> None:
    assert generator.class_names == tiny.CLASSES


def test_classes_come_in_turn_or_as_asked(generator: Generator) -> None:
    in_turn, of_one = generator.sample(5), generator.sample(2, label="sky")

    assert in_turn.labels == ["apple", "leaf", "sky", "apple", "leaf"]
    assert of_one.labels == ["sky", "sky"]
    assert in_turn.images.shape == (5, 3, 16, 16)
    assert in_turn.images.dtype == np.uint8


def test_a_sample_is_the_same_however_many_are_drawn(generator: Generator) -> None:
    few, many = generator.sample(3).images, generator.sample(70).images

    assert np.abs(few.astype(int) - many[:3]).max() <= 1  # rounding of other matrix products
    assert np.abs(many[3].astype(int) - many[0]).max() > 1


def test_no_picture_comes_twice_however_many_are_drawn(generator: Generator) -> None:
    """They are drawn 64 at a time, and each has noise of its own."""
    many = generator.sample(66, label="sky").images

    assert len(np.unique(many.reshape(66, -1), axis=0)) == 66


def test_a_way_begins_in_noise_and_ends_in_the_sample(generator: Generator) -> None:
    way = generator.path(2, num_shown=3)

    assert way.shape == (2, 3, 3, 16, 16)
    assert np.abs(way[:, -1].astype(int) - generator.sample(2).images).max() <= 1
    assert np.abs(way[:, 0].astype(int) - way[:, -1]).max() > 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"label": "appel"}, "'apple'"),
        ({"steps": 0}, "at least 1"),
        ({"seed": -1}, "0 or more"),
        ({"guidance": -0.5}, "0 "),
        ({"guidance": float("nan")}, "guidance is nan; it must be a number"),
    ],
)
def test_what_makes_no_sense_is_refused(
    generator: Generator, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        generator.sample(1, **asked)


def test_no_pictures_at_all_are_refused(generator: Generator) -> None:
    with pytest.raises(UsageError, match="count is 0"):
        generator.sample(0)


def test_more_pictures_than_memory_holds_are_refused(generator: Generator) -> None:
    with pytest.raises(UsageError, match="count is 1,000,000,000; from 1 to 100,000 pictures"):
        generator.sample(10**9)
