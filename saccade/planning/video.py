"""Video from scratch or from weights: a complete config from a few facts about the clips."""

import math
from collections.abc import Mapping
from dataclasses import replace

from saccade.backbones.sizes import parse_name
from saccade.config.model import ModelConfig, VitConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import VideoConfig
from saccade.errors import UsageError
from saccade.planning.budget import wanted_epochs
from saccade.planning.classify import augmentation, class_targets, classify, preprocess_for
from saccade.planning.facts import Facts
from saccade.planning.mirror import SAFE_RATIO
from saccade.planning.recipe import Recipe

TUBELET_SIZE = 2
"""Frames in one token (arXiv 2103.15691): half the tokens, and the smallest motion in each."""

EPOCH_SHARE = 0.5
"""As much of an epoch counts when clips are changed the more, the more often each is seen: strong
changes hide motion for long. On clips of lips of people never seen, a step for 64 clips, 0.3 of the
strongest gave 0.47 in 400 steps, all of it 0.21 in 600."""

CLIP_SIDES = (32, 48, 64, 128, 160, 192, 224)
"""Sizes that clips are trained at. A step with clips of 64 pixels takes four times as long as with
32, so a short budget is a few steps there; at 96 patches of 8 would cost more than those of 16 at
128."""

TELLS_PLACES = ("sincos", "learned")
"""Positions of weights for pictures that can become positions of clips."""


def video(
    facts: Facts,
    *,
    source: str,
    model: str | ModelConfig,
    image_size: int,
    steps: int,
    budget_seconds: float | None,
    precision: str,
    num_threads: int,
    seed: int,
) -> RunConfig:
    """The recipe of pictures, for clips: joint attention in space and time on tubelets.

    Command: ``saccade train SOURCE --out RUN --job video --budget 10m``. Figures, mean and spread
    over three seeds on two cores, are in benchmarks/ (video), beside a model of single frames that
    is trained on the same batches. ViT on tubelets: arXiv 2103.15691; 3-D sines and cosines as in
    arXiv 2205.01580.

    Frames are squashed and not cropped: what happens at the border of a clip belongs to it, and
    frames of one clip may differ in size. Clips are mirrored only where they show that mirrors keep
    their class, since many classes of motion have a direction.

    Args:
        facts: about the data.
        source: the path, as the user gave it.
        model: a name such as ``vit-nano8``, or the shape of weights that there are.
        image_size: pixels a side.
        steps: optimiser steps.
        budget_seconds: the promise, or None.
        precision: ``bf16`` or ``fp32``.
        num_threads: that decode.
        seed: of everything random.

    Raises:
        UsageError: the model cannot read clips.
    """
    config = classify(
        facts,
        source=source,
        model=model,
        image_size=image_size,
        steps=steps,
        budget_seconds=budget_seconds,
        precision=precision,
        num_threads=num_threads,
        seed=seed,
    )
    task = VideoConfig()
    if isinstance(config.model, VitConfig) and config.model.position == "learned":
        steps_in_time, tubelet_size = config.model.position_grid[0], config.model.tubelet_size
        if tubelet_size > 1:  # weights for clips: as many frames as their positions are for
            task = replace(task, num_frames=steps_in_time * tubelet_size)
    epochs = steps * config.data.batch_size / max(facts.num_pictures, 1)
    augment = augmentation(facts, epochs=EPOCH_SHARE * epochs, image_size=image_size)
    keeps_class = facts.mirror_ratio is not None and facts.mirror_ratio >= SAFE_RATIO
    return replace(
        config,
        job="video",
        task=task,
        model=_fresh(model, config.model) if isinstance(model, str) else clip_model(model),
        data=replace(config.data, fit="squash"),
        augment=replace(augment, flip=0.5 if keeps_class else 0.0),
    )


def clip_model(model: ModelConfig, *, num_frames: int = VideoConfig().num_frames) -> VitConfig:
    """The shape of weights for pictures, made to read clips; that of weights for clips as it is.

    Positions become learned ones: those of the picture for each step in time, which is what fixed
    ones were up to now.

    Raises:
        UsageError: the weights are not a vit, or their positions or their stem do not go with
            clips.
    """
    if not isinstance(model, VitConfig):
        raise UsageError(
            f"the weights are a {model.family}, and clips are read by a vit; start from weights of "
            "a vit, or leave --init out"
        )
    if model.tubelet_size > 1:
        return model
    if model.position not in TELLS_PLACES:
        raise UsageError(
            f"the weights have {model.position} positions, which cannot tell when a frame was; "
            f"clips need {' or '.join(TELLS_PLACES)} ones"
        )
    if model.stem == "cnn":
        raise UsageError("the weights begin with the stem 'cnn'; clips need 'patches' or 'conv'")
    steps = math.ceil(num_frames / TUBELET_SIZE)
    return replace(
        model,
        tubelet_size=TUBELET_SIZE,
        position="learned",
        position_grid=(steps, *model.position_grid[1:]),
    )


def clip_preprocess(config: RunConfig, facts: Facts) -> Preprocess:
    """That of pictures, for as many frames as are read."""
    task = config.task
    assert isinstance(task, VideoConfig)
    return replace(
        preprocess_for(config, facts),
        num_frames=task.num_frames * task.spares,
        short_clips=task.short_clips,
    )


def clip_patch_for(image_size: int) -> int:
    """Pixels a side of a patch: for clips a picture's patches would be too many to see often.

    Lips at 32 pixels: 0.843 in patches of 8, 0.807 in patches of 4 (docs/video.md).
    """
    return 4 if image_size < 32 else 8 if image_size < 128 else 16


def video_recipe(settings: Mapping[str, str]) -> Recipe:
    """How a training on clips is planned.

    Args:
        settings: what ``--set`` says.

    Raises:
        UsageError: it asks for a model that does not read clips.
    """
    if settings.get("model.tubelet_size", "2").strip() == "1":
        raise UsageError(
            "--set model.tubelet_size=1 makes a model of pictures; clips need 2 or more frames in "
            "a token (or take --job classify)"
        )
    return Recipe(
        config=video,
        preprocess=clip_preprocess,
        targets=class_targets,
        wanted_epochs=wanted_epochs,
        default_model="vit",
        photo_sides=CLIP_SIDES,
        patch_for=clip_patch_for,
        reads_clips=True,
    )


def _fresh(name: str, model: ModelConfig) -> VitConfig:
    if not isinstance(model, VitConfig):
        raise UsageError(
            f"--model is {name}, and clips are read by a vit; take --model vit, or a size of it "
            f"such as vit-{parse_name(name).size or 'nano'}"
        )
    steps = math.ceil(VideoConfig().num_frames / TUBELET_SIZE)
    return replace(
        model, tubelet_size=TUBELET_SIZE, position_grid=(steps, *model.position_grid[1:])
    )
