"""timm's preprocessing is said in our words, and ours in timm's, without loss."""

import itertools
import math
from typing import Literal

import pytest

from saccade.config.run import Preprocess
from saccade.errors import DataError
from saccade.weights.timm.preprocess import read_preprocess, write_preprocess

STATED = {
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.25, 0.3],
    "crop_pct": 0.875,
    "crop_mode": "center",
    "interpolation": "bilinear",
}


def read(stated: dict[str, object], *, side: int = 224) -> tuple[Preprocess, list[str]]:
    config = {"pretrained_cfg": STATED | stated}
    return read_preprocess(config, native=(side, side), channels=3, source="it")


@pytest.mark.parametrize(
    ("side", "crop_pct", "resize_side"),
    [(224, 0.875, 256), (224, 0.9, 248), (384, 1.0, 384), (518, 1.0, 518), (256, 0.95, 269)],
)
def test_the_short_side_is_timms(side: int, crop_pct: float, resize_side: int) -> None:
    found, notes = read({"crop_pct": crop_pct}, side=side)

    assert found.resize_side == resize_side == math.floor(side / crop_pct)
    assert notes == []


@pytest.mark.parametrize(("theirs", "ours"), [("squash", "squash"), ("border", "pad")])
def test_the_ways_to_fit_have_other_names(theirs: str, ours: str) -> None:
    found, _ = read({"crop_mode": theirs, "crop_pct": 1.0})

    assert (found.fit, found.resize_side) == (ours, 0)


def test_what_is_kept_here_and_cut_there_is_said() -> None:
    assert read({"crop_mode": "squash", "crop_pct": 1.0})[1] == []
    assert "cuts the outer" in read({"crop_mode": "squash", "crop_pct": 0.9})[1][0]
    assert "here they are black" in read({"crop_mode": "border", "crop_pct": 1.0})[1][0]


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
def test_reading_what_was_written_gives_it_back(
    fit: Literal["crop", "squash", "pad"],
) -> None:
    for side, extra in itertools.product(range(200, 600, 7), (0, 1, 9, 32)):
        ours = Preprocess(
            height=side,
            width=side + 10,
            channels=3,
            fit=fit,
            mean=(0.1, 0.2, 0.3),
            std=(0.4, 0.5, 0.6),
            resize_side=side + extra if fit == "crop" else 0,
            interpolation="lanczos",
        )
        config = {"pretrained_cfg": write_preprocess(ours)}

        found, _ = read_preprocess(config, native=(side, side + 10), channels=3, source="it")

        assert found == ours


@pytest.mark.parametrize(
    "stated",
    [
        {"interpolation": "random"},
        {"crop_mode": "tile"},
        {"crop_pct": 1.5},
        {"crop_pct": -1.0},
        {"crop_pct": "most"},
        {"mean": ["red", 0.5, 0.5]},
        {"std": [0.5, 0.0, 0.5]},
        {"input_size": 224},
        {"input_size": [3, 0, 224]},
    ],
)
def test_what_cannot_be_followed_is_refused(stated: dict[str, object]) -> None:
    with pytest.raises(DataError, match="it: "):
        read(stated)


def test_the_size_stated_comes_before_that_of_the_positions() -> None:
    assert read({"input_size": [3, 384, 448]})[0].height == 384
    assert read({"input_size": [3, 384, 448]})[0].width == 448
    assert read({})[0].height == 224


def test_nothing_said_is_assumed_and_that_is_said() -> None:
    found, notes = read_preprocess({}, native=(224, 224), channels=3, source="it")

    assert found.mean == (0.5, 0.5, 0.5)
    assert "defaults are assumed" in notes[0]


def test_a_model_made_for_another_size_than_its_name_gets_pictures_of_its_own() -> None:
    config = {
        "pretrained_cfg": STATED | {"input_size": [3, 224, 224], "crop_pct": 0.5},
        "model_args": {"img_size": 64},
    }
    found, notes = read_preprocess(config, native=(64, 64), channels=3, source="it")

    assert (found.height, found.width, found.resize_side) == (64, 64, 128)
    assert any("64 x 64" in note and "224 x 224" in note for note in notes)
