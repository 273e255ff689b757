"""A preprocessor_config.json is followed to the pixel, or refused, or its difference is said."""

from dataclasses import replace
from typing import Any

import pytest

from saccade.config.run import Preprocess
from saccade.errors import DataError, UsageError
from saccade.weights.hf.preprocess import Read, read_preprocess, write_preprocess
from tests.weights.hf.models import PREPROCESS

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SQUASHED = replace(PREPROCESS, fit="squash", width=20, resize_side=0, interpolation="lanczos")
NUMBERS = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4], "resample": 3}


def read(given: dict[str, Any] | None, *, model_type: str = "vit") -> Read:
    return read_preprocess(given, model_type=model_type, source="F")


@pytest.mark.parametrize("is_video", [False, True])
@pytest.mark.parametrize("preprocess", [PREPROCESS, SQUASHED])
def test_what_was_written_is_read_as_the_same(preprocess: Preprocess, is_video: bool) -> None:
    written = write_preprocess(preprocess, is_video=is_video)

    assert read(written) == Read(preprocess, ())


def test_the_file_of_the_first_vits_is_understood() -> None:
    given = {"do_normalize": True, "do_resize": True, "size": 224, "resample": 2}
    half = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}

    found = read(given | half).preprocess

    assert found == Preprocess(
        height=224,
        width=224,
        channels=3,
        fit="squash",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        resize_side=0,
        interpolation="bilinear",
    )


def test_a_crop_after_the_short_side_is_the_same_here() -> None:
    given = {"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}}

    found = read({**NUMBERS, **given, "do_center_crop": True}, model_type="dinov2")

    assert (found.preprocess.fit, found.preprocess.resize_side) == ("crop", 256)
    assert (found.preprocess.height, found.preprocess.width) == (224, 224)
    assert found.notes == ()


def test_a_crop_after_squashing_keeps_the_aspect_here_and_says_so() -> None:
    given = {"size": 256, "crop_size": 224, "do_center_crop": True, **NUMBERS}

    found = read(given, model_type="deit")

    assert (found.preprocess.fit, found.preprocess.resize_side) == ("crop", 256)
    assert "squashes to 256 x 256" in found.notes[0]


def test_a_processor_that_does_not_crop_takes_the_middle_here_and_says_so() -> None:
    found = read({**NUMBERS, "size": {"shortest_edge": 32}})

    assert (found.preprocess.fit, found.preprocess.height, found.preprocess.width) == (
        "crop", 32, 32,
    )  # fmt: skip
    assert "keeps the aspect" in found.notes[0]


@pytest.mark.parametrize(
    ("model_type", "height", "resize_side", "interpolation"),
    [
        ("vit_mae", 224, 0, "bilinear"),
        ("deit", 224, 256, "bicubic"),
        ("dinov2", 224, 256, "bicubic"),
        ("dinov3_vit", 224, 0, "bilinear"),
        ("videomae", 224, 224, "bilinear"),
    ],
)
def test_without_a_file_the_family_decides_and_that_is_said(
    model_type: str, height: int, resize_side: int, interpolation: str
) -> None:
    found = read(None, model_type=model_type)

    assert (found.preprocess.height, found.preprocess.width) == (height, height)
    assert (found.preprocess.resize_side, found.preprocess.interpolation) == (
        resize_side, interpolation,
    )  # fmt: skip
    assert (found.preprocess.mean, found.preprocess.std) == IMAGENET
    assert "no preprocessor_config.json" in found.notes[0]


def test_pixels_that_are_not_normalised_stay_between_0_and_1() -> None:
    found = read({**NUMBERS, "do_normalize": False}).preprocess

    assert (found.mean, found.std) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    "change",
    [
        {"do_resize": False},
        {"do_rescale": False},
        {"rescale_factor": 1 / 127.5},
        {"rescale_factor": "1/255"},
        {"resample": 0},
        {"resample": "bicubic"},
        {"resample": [3]},
        {"size": {"longest_edge": 224}},
        {"size": {"height": 224}},
        {"size": -3},
        {"size": True},
        {"size": {"height": 64, "width": 32}, "crop_size": 32, "do_center_crop": True},
        {"size": {"shortest_edge": 20}, "crop_size": 32, "do_center_crop": True},
        {"size": 20, "crop_size": 32, "do_center_crop": True},
        {"image_mean": [0.5]},
        {"image_mean": "half"},
        {"image_std": [0.5, 0.5, 0.0]},
        {"image_std": [0.5, 0.5, float("nan")]},
    ],
    ids=str,
)
def test_a_step_that_cannot_be_followed_is_refused_by_name(change: dict[str, Any]) -> None:
    key = next(iter(change))

    with pytest.raises(DataError, match=rf"F: preprocessor_config.json has {key} = .*; expected"):
        read({**NUMBERS, **change})


@pytest.mark.parametrize(
    "preprocess",
    [replace(PREPROCESS, fit="pad"), replace(PREPROCESS, width=20)],
    ids=["pad", "crop that is not square"],
)
def test_a_fit_that_they_do_not_have_is_refused(preprocess: Preprocess) -> None:
    with pytest.raises(UsageError, match="transformers can squash them, or crop a square"):
        write_preprocess(preprocess, is_video=False)


def test_the_largest_centre_is_written_as_its_own_short_side() -> None:
    written = write_preprocess(replace(PREPROCESS, resize_side=0), is_video=False)

    assert written["size"] == {"shortest_edge": 12}
