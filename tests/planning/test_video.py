"""The recipe of clips is that of pictures with tubelets, and mirrors only what keeps its class."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from jaxtyping import UInt8

from saccade.backbones.sizes import model_config, parse_name
from saccade.config.check import check
from saccade.config.json import override
from saccade.config.model import VitConfig
from saccade.config.run import RunConfig, ShortClips
from saccade.config.task import VideoConfig
from saccade.data.pictures import PictureArray
from saccade.data.samples import Samples
from saccade.errors import UsageError
from saccade.planning.budget import Candidate, candidates
from saccade.planning.classify import classify
from saccade.planning.facts import Facts, look
from saccade.planning.video import clip_model, clip_preprocess, video, video_recipe

FACTS = Facts(
    num_pictures=600,
    num_classes=8,
    side=32,
    is_grey=False,
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.2, 0.2),
    mirror_ratio=None,
)
ASKED: dict[str, Any] = {
    "source": "clips",
    "image_size": 32,
    "steps": 200,
    "budget_seconds": None,
    "precision": "fp32",
    "num_threads": 1,
    "seed": 0,
}


def made(facts: Facts = FACTS, *, model: Any = "vit-pico8") -> RunConfig:
    return check(video(facts, model=model, **ASKED))


def test_all_but_model_fit_and_changes_is_the_recipe_of_pictures():
    config, of_pictures = made(), classify(FACTS, model="vit-pico8", **ASKED)
    assert (config.job, config.task) == ("video", VideoConfig())
    assert config.optim == of_pictures.optim
    assert config.data == replace(of_pictures.data, fit="squash")
    assert isinstance(of_pictures.model, VitConfig)
    expected = replace(of_pictures.model, tubelet_size=2, position_grid=(4, 4, 4))
    assert config.model == expected


def test_clips_are_changed_as_pictures_are_that_were_seen_half_as_often():
    long = ASKED | {"steps": 400}
    config = video(FACTS, model="vit-pico8", **long)
    of_pictures = classify(FACTS, model="vit-pico8", **ASKED)
    assert config.augment == replace(of_pictures.augment, flip=0.0)
    assert config.augment.zoom > 0


@pytest.mark.parametrize(
    ("ratio", "is_grey", "flip"),
    [(None, False, 0.0), (None, True, 0.0), (0.2, False, 0.0), (0.9, True, 0.5)],
)
def test_clips_are_mirrored_only_where_they_show_that_it_is_safe(
    ratio: float | None, is_grey: bool, flip: float
):
    facts = replace(FACTS, mirror_ratio=ratio, is_grey=is_grey)
    assert made(facts).augment.flip == flip


def test_the_preprocessing_reads_the_frames_and_their_spares():
    config = override(
        made(), {"task.num_frames": "6", "task.spares": "3", "task.short_clips": "repeat"}
    )
    preprocess = clip_preprocess(config, FACTS)
    assert (preprocess.num_frames, preprocess.short_clips) == (18, "repeat")
    assert (preprocess.fit, preprocess.mean) == ("squash", FACTS.mean)


def test_weights_for_pictures_get_positions_for_each_step_in_time():
    picture = model_config("vit-s16")
    assert isinstance(picture, VitConfig)
    found = clip_model(replace(picture, position_grid=(1, 7, 7)))
    assert found == replace(picture, tubelet_size=2, position="learned", position_grid=(4, 7, 7))


def test_weights_for_clips_keep_their_shape_and_bring_their_number_of_frames():
    picture = model_config("vit-s16")
    assert isinstance(picture, VitConfig)
    clip = replace(picture, tubelet_size=2, position="learned", position_grid=(8, 14, 14))
    config = made(model=clip)
    assert config.model == clip
    assert config.task == VideoConfig(num_frames=16)


def test_weights_that_cannot_watch_are_refused_with_why():
    picture = model_config("vit-s16")
    assert isinstance(picture, VitConfig)
    for model, message in [
        (model_config("rag-ti16"), "the weights are a rag, and clips are read by a vit"),
        (replace(picture, position="rotary"), "rotary positions, which cannot tell when"),
        (replace(picture, stem="cnn"), "the stem 'cnn'; clips need 'patches' or 'conv'"),
    ]:
        with pytest.raises(UsageError, match=message):
            clip_model(model)
    with pytest.raises(UsageError, match="take --model vit, or a size of it such as vit-pico"):
        made(model="rag-pico8")


def test_one_frame_in_a_token_is_refused_before_the_data_is_looked_at():
    with pytest.raises(UsageError, match="model of pictures"):
        video_recipe({"model.tubelet_size": "1"})
    assert video_recipe({"model.tubelet_size": "4"}).reads_clips


@pytest.mark.parametrize("side", [20, 32, 40])
def test_small_clips_keep_their_size(side: int):
    assert {each.image_size for each in ladder(side)} == {side}


def test_the_cheapest_clip_is_far_smaller_than_the_cheapest_photo():
    first, *_, last = ladder(500)
    assert first == Candidate("vit-pico8", 32)
    assert last.image_size == 224


@pytest.mark.parametrize("side", [70, 130, 500])
def test_each_rung_of_clips_has_at_least_as_many_tokens_as_the_one_below(side: int):
    tokens = [
        (each.image_size // model_config(each.model).patch_size) ** 2 for each in ladder(side)
    ]
    assert tokens == sorted(tokens)


def ladder(side: int) -> list[Candidate]:
    recipe = video_recipe({})
    return list(
        candidates(
            parse_name("vit"),
            side=side,
            image_size=None,
            photo_sides=recipe.photo_sides,
            patch_for=recipe.patch_for,
        )
    )


class Sliding(PictureArray):
    """Clips of a bar that slides to the right (label 0) or to the left (label 1)."""

    def frames(
        self,
        i: int,
        *,
        num_frames: int,
        short_clips: ShortClips,
        channels: int,
        min_side: int | None,
    ) -> list[UInt8[np.ndarray, "_H _W C"]]:
        clip = np.zeros((num_frames, 24, 24, channels), np.uint8)
        for t in range(num_frames):
            step = t if i % 2 == 0 else num_frames - 1 - t
            clip[t, i % 7 : i % 7 + 12, 6 * step : 6 * step + 6] = 200
        return list(clip)


def test_the_mirror_test_looks_at_the_course_of_clips_and_not_at_a_frame():
    clips = Sliding(np.zeros((40, 24, 24, 1), np.uint8), "clip")
    samples = Samples(pictures=clips, ids=np.arange(40), labels=np.arange(40) % 2)
    assert look(samples, num_classes=2).mirror_ratio == 0.0
    appearance = replace(samples, labels=np.arange(40) % 7 % 2)  # where the bar is, not its way
    ratio = look(appearance, num_classes=2).mirror_ratio
    assert ratio is not None
    assert ratio > 0.5
