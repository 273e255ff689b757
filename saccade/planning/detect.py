"""Detection: a complete config from a few facts about the pictures and their objects."""

import math

import torch

from saccade.config.model import ModelConfig
from saccade.config.run import AugmentConfig, DataConfig, OptimConfig, Preprocess, RunConfig
from saccade.config.task import DetectConfig
from saccade.data.targets import BoxTargets
from saccade.planning.classify import (
    MAX_BAD_FRACTION,
    TEST_FRACTION,
    VAL_FRACTION,
    fresh_model,
    mirrors_are_safe,
)
from saccade.planning.facts import Facts

DEFAULT_MODEL = "rag"
"""When the user names none."""

LARGEST_UNPLANNED_SIDE = 224
"""Pixels of the longer side when there is no budget to judge by."""

_SMALL_PATCH, _LARGE_PATCH, _LARGE_SIDE = 8, 16, 384
_FEWEST_CELLS = 12
_OBJECTS_TIMED = 8  # made-up objects of a picture, where nobody has counted


def detect(
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
    """A recipe for some hundred to some thousand pictures with boxes.

    Command: ``saccade train SOURCE --out RUN --job detect --budget 10m``. Figures, mean and spread
    over three seeds on two cores, are in benchmarks/ (detect).

    Args:
        facts: about the data.
        source: the path, as the user gave it.
        model: a name such as ``rag-nano8``, or the shape of weights that there are.
        image_size: pixels of the longer side.
        steps: optimiser steps.
        budget_seconds: the promise, or None.
        precision: ``bf16`` or ``fp32``.
        num_threads: that decode.
        seed: of everything random.
    """
    batch_size = 16 if facts.num_pictures < 1000 else 32
    epochs = steps * batch_size / max(facts.num_pictures, 1)
    config = fresh_model(model, image_size) if isinstance(model, str) else model
    objects = facts.objects
    return RunConfig(
        job="detect",
        seed=seed,
        steps=steps,
        budget_seconds=budget_seconds,
        log_every=max(1, min(50, steps // 100)),
        evaluate_every=max(1, steps // 10),
        save_every=max(1, min(500, steps // 4)),
        precision="bf16" if precision == "bf16" else "fp32",
        model=config,
        data=DataConfig(
            source=source,
            image_size=image_size,
            channels=1 if facts.is_grey else 3,
            fit="squash",
            batch_size=batch_size,
            val_fraction=VAL_FRACTION,
            test_fraction=TEST_FRACTION,
            max_bad_fraction=MAX_BAD_FRACTION,
            cache_gib=4.0,
            num_threads=num_threads,
        ),
        augment=augmentation_for_objects(facts, epochs=epochs),
        optim=OptimConfig(
            # Twice that of a classifier: on digit canvases AP50 0.85 after 600 steps, and 0.68 with
            # half of it.
            lr=2e-3 * math.sqrt(batch_size / 32) * min(1.0, math.sqrt(128 / config.embed_dim)),
            weight_decay=0.05,
            beta1=0.9,
            beta2=0.98,
            warmup=0.05,
            final_lr=0.01,
            clip_norm=1.0,
            label_smoothing=0.0,
            average=0.03,
        ),
        task=DetectConfig()
        if objects is None
        else DetectConfig(object_width=_share(objects.width), object_height=_share(objects.height)),
    )


def augmentation_for_objects(facts: Facts, *, epochs: float) -> AugmentConfig:
    """How strongly to change pictures: the more often each is seen, the more.

    No turns and no slants: a box round a turned box is larger than the object.
    """
    strength = min(1.0, max(0.0, (epochs - 10) / 30))
    return AugmentConfig(
        flip=0.5 if mirrors_are_safe(facts) else 0.0,
        translate=0.05 + 0.1 * strength,
        zoom=0.1 + 0.3 * strength,
        rotate_degrees=0.0,
        shear=0.0,
        colour=0.4 * strength,
        erase=0.0,
    )


def preprocess_for_objects(config: RunConfig, facts: Facts) -> Preprocess:
    """An input of the usual picture's aspect, into which others are squashed.

    Squashed and not padded: the bars of padded pictures are tokens that cost as much as others and
    can never find anything, and in most sets all pictures have nearly one aspect, which is then
    not changed. Boxes follow exactly either way.
    """
    longer = max(facts.height, facts.width, 1)
    sides = (facts.height or longer, facts.width or longer)
    height, width = (_side(config, side / longer) for side in sides)
    return Preprocess(
        height=height,
        width=width,
        channels=config.data.channels,
        fit=config.data.fit,
        mean=facts.mean,
        std=facts.std,
    )


def detect_targets(
    config: RunConfig,  # noqa: ARG001  as in Recipe
    preprocess: Preprocess,
    num_classes: int,
    batch_size: int,
) -> BoxTargets:
    """Made-up objects for a batch, to time a training step with."""
    generator = torch.Generator().manual_seed(0)
    shape = (batch_size, _OBJECTS_TIMED)
    size = torch.tensor([preprocess.width, preprocess.height]) / 4
    corner = torch.rand(*shape, 2, generator=generator) * size * 3
    return BoxTargets(
        boxes_xyxy=torch.cat([corner, corner + size], dim=2),
        labels=torch.randint(max(num_classes, 1), shape, generator=generator),
        is_crowd=torch.zeros(shape, dtype=torch.bool),
    )


def wanted_epochs_for_objects(num_pictures: int) -> float:
    """How often each picture should be seen before a bigger model is worth its time.

    Much more often than for classification: 40 times at 5,000 pictures, and more, by the square
    root, when there are fewer.
    """
    return min(200.0, max(20.0, 40 * math.sqrt(5000 / max(num_pictures, 1))))


def patch_for_objects(image_size: int) -> int:
    """Pixels of a token's side: 8, so that objects of a tenth of the picture have one of their own.

    16 for large pictures, and less where fewer than twelve would stand side by side.
    """
    if image_size >= _LARGE_SIDE:
        return _LARGE_PATCH
    return min(_SMALL_PATCH, 2 ** max(1, int(math.log2(image_size / _FEWEST_CELLS))))


def _side(config: RunConfig, share: float) -> int:
    """A side of the input: whole patches, at least one."""
    patch_size = config.model.patch_size
    return max(1, round(config.data.image_size * share / patch_size)) * patch_size


def _share(side: float) -> float:
    """Of an object; away from 0 and 1, whose logits have no end."""
    return round(min(max(side, 0.01), 0.95), 3)
