"""A translator answers each picture in its own size, in order, and says which it cannot read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.errors import UsageError
from saccade.serving.translate import Translator, resized
from tests import tiny, tiny_flow


@pytest.fixture(scope="module")
def translator() -> Translator:
    loaded = saccade.load(tiny_flow.translator().run, device="cpu")
    assert isinstance(loaded, Translator)
    return loaded


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Two that can be read, of two sizes, and between them one that cannot."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    tiny.draw(rng, 0, side=16).save(paths[0])
    paths[1].write_bytes(b"not a picture")
    tiny.draw(rng, 1, side=16).resize((40, 21)).save(paths[2])
    return paths


def test_answers_have_the_size_of_what_was_given(
    translator: Translator, pictures: list[Path]
) -> None:
    first, broken, last = translator.translate(pictures)

    assert first.picture is not None
    assert last.picture is not None
    assert last.regression is not None
    assert first.picture.shape == (16, 16, 3)
    assert last.picture.shape == last.regression.shape == (21, 40, 3)
    assert broken.picture is None
    assert broken.error
    assert [Path(answer.path).name for answer in (first, broken, last)] == [
        "a.png",
        "b.png",
        "c.png",
    ]


def test_another_seed_gives_another_answer_and_the_same_seed_the_same(
    translator: Translator, pictures: list[Path]
) -> None:
    first, again, other = (translator.translate(pictures[0], seed=s)[0].picture for s in (1, 1, 2))

    assert first is not None
    assert again is not None
    assert other is not None
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_colours_are_taken_away_before_they_are_guessed(pictures: list[Path]) -> None:
    colouriser = saccade.load(tiny_flow.colouriser().run, device="cpu")
    assert isinstance(colouriser, Translator)

    (answer,) = colouriser.translate(pictures[0])

    assert answer.given is not None
    assert answer.given.shape == (16, 16, 1)
    assert answer.picture is not None
    assert answer.picture.shape == (16, 16, 3)


@pytest.mark.parametrize("asked", [{"steps": 0}, {"seed": -1}])
def test_numbers_that_make_no_sense_are_refused(
    translator: Translator, pictures: list[Path], asked: dict[str, int]
) -> None:
    with pytest.raises(UsageError):
        translator.translate(pictures[0], **asked)


def test_resizing_to_its_own_size_changes_nothing_and_keeps_the_channels() -> None:
    grey = np.asarray(Image.new("L", (5, 4), 7))[:, :, None]

    assert resized(grey, 4, 5) is grey
    assert resized(grey, 8, 9).shape == (8, 9, 1)
