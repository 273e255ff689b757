"""Classification from scratch: a complete config from a few facts about the data."""

import math
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from saccade.backbones.sizes import model_config
from saccade.config.model import ModelConfig, RagConfig, VitConfig
from saccade.config.run import AugmentConfig, DataConfig, OptimConfig, Preprocess, RunConfig
from saccade.planning.facts import Facts
from saccade.planning.mirror import SAFE_RATIO

SMALLEST_SIDE = 16
"""Smaller pictures are enlarged to this, so that the convolutions have something to slide over."""

PHOTO_SIDES = (64, 96, 128, 160, 192, 224)
"""Sizes that photographs are trained at; pictures up to 40 pixels keep their own."""

VAL_FRACTION = 0.1
"""Of the training pictures, held out to choose the best weights, where the source has no split."""

TEST_FRACTION = 0.2
"""Of all pictures, held out for the final figures, where the source has no split."""

MAX_BAD_FRACTION = 0.05
"""Of all pictures; more that cannot be read are a sign that something else is wrong."""


def classify(
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
    """A from-scratch recipe for pictures of any size and number.

    Command: ``saccade train SOURCE --out RUN --budget 10m``. Figures, mean and spread over three
    seeds on two cores, are in benchmarks/ (classify). The numbers follow CCT (arXiv 2104.05704) and
    airbench (arXiv 2404.00498): AdamW, a short warm-up, label smoothing, light augmentation for few
    epochs and stronger for many.

    Args:
        facts: about the data.
        source: the path, as the user gave it.
        model: a name such as ``rag-nano4``, or the shape of weights that there are.
        image_size: pixels a side.
        steps: optimiser steps.
        budget_seconds: the promise, or None.
        precision: ``bf16`` or ``fp32``.
        num_threads: that decode.
        seed: of everything random.
    """
    batch_size = batch_size_for(facts.num_pictures)
    epochs = steps * batch_size / max(facts.num_pictures, 1)
    config = fresh_model(model, image_size) if isinstance(model, str) else model
    return RunConfig(
        job="classify",
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
            fit="crop",
            batch_size=batch_size,
            val_fraction=VAL_FRACTION,
            test_fraction=TEST_FRACTION,
            max_bad_fraction=MAX_BAD_FRACTION,
            cache_gib=4.0,
            num_threads=num_threads,
        ),
        augment=augmentation(facts, epochs=epochs, image_size=image_size),
        optim=OptimConfig(
            # Wider models want smaller steps; sqrt for the batch, as AdamW's noise scale suggests.
            lr=2e-3 * math.sqrt(batch_size / 128) * min(1.0, math.sqrt(128 / config.embed_dim)),
            weight_decay=0.05,
            beta1=0.9,
            beta2=0.98,
            warmup=0.08,
            final_lr=0.01,
            clip_norm=1.0,
            label_smoothing=0.1,
            average=0.03,
        ),
    )


def preprocess_for(config: RunConfig, facts: Facts) -> Preprocess:
    """The preprocessing that a config and the pictures' colours ask for."""
    data = config.data
    channels = len(facts.mean)
    same = data.channels == channels
    return Preprocess(
        height=data.image_size,
        width=data.image_size,
        channels=data.channels,
        fit=data.fit,
        mean=facts.mean if same else (sum(facts.mean) / channels,) * data.channels,
        std=facts.std if same else (sum(facts.std) / channels,) * data.channels,
    )


def class_targets(
    config: RunConfig,  # noqa: ARG001  as in Recipe
    preprocess: Preprocess,  # noqa: ARG001
    num_classes: int,
    batch_size: int,
) -> Int64[Tensor, " B"]:
    """Made-up labels to time a step with."""
    return torch.arange(batch_size) % num_classes


def fresh_model(name: str, image_size: int) -> ModelConfig:
    """The shape that a name stands for, with room for positions on the grid of these pictures."""
    config = model_config(name)
    if not isinstance(config, VitConfig | RagConfig):
        return config
    cells = math.ceil(image_size / config.patch_size)
    return replace(config, position_grid=(1, cells, cells))


def batch_size_for(num_pictures: int) -> int:
    """Pictures per step: a large set fills the matrix units, a small one needs the steps."""
    return 128 if num_pictures >= 8000 else 64 if num_pictures >= 500 else 32


def augmentation(facts: Facts, *, epochs: float, image_size: int) -> AugmentConfig:
    """How strongly to change pictures: the more often each is seen, the more.

    Args:
        facts: about the data; pictures whose mirror image is another thing are not mirrored.
        epochs: how often each picture will be seen.
        image_size: pixels a side; small pictures are moved by a pixel or two.
    """
    # Turns, zooms and colours cost accuracy while pictures are still new: on Fashion-MNIST in some
    # 6 epochs 0.916 with a tenth of them, against 0.923 with mirrors and shifts alone.
    strength = min(1.0, max(0.0, (epochs - 12) / 48))
    return AugmentConfig(
        flip=0.5 if mirrors_are_safe(facts) else 0.0,
        translate=max(0.07, 1.5 / image_size) + 0.03 * strength,
        zoom=0.25 * strength,
        rotate_degrees=15 * strength,
        shear=0.15 * strength,
        colour=0.6 * strength,
        erase=0.25 * strength,
    )


def mirrors_are_safe(facts: Facts) -> bool:
    """Whether to mirror; where the data cannot tell, colour pictures are taken for photographs."""
    if facts.mirror_ratio is None:
        return not facts.is_grey
    return facts.mirror_ratio >= SAFE_RATIO


def natural_side(side: int) -> int:
    """The training size closest to the pictures' own: what is smaller is not thrown away."""
    if side <= 40:
        return max(SMALLEST_SIDE, math.ceil(side / 4) * 4)
    return max([size for size in PHOTO_SIDES if size <= side * 1.2], default=PHOTO_SIDES[0])


def patch_for(image_size: int) -> int:
    """The largest power of two, up to 16, that leaves at least 7 x 7 tokens; 2 at the least."""
    return 2 ** min(4, max(1, int(math.log2(image_size / 7))))
