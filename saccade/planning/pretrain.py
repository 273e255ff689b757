"""Learning without labels: a complete config from a few facts about the pictures."""

import math
from collections.abc import Mapping
from dataclasses import replace

from saccade.config.model import ModelConfig, VitConfig
from saccade.config.run import AugmentConfig, OptimConfig, Preprocess, RunConfig
from saccade.config.task import PretrainConfig
from saccade.errors import UsageError, nearest
from saccade.planning.budget import wanted_epochs
from saccade.planning.classify import classify, fresh_model, mirrors_are_safe
from saccade.planning.facts import Facts
from saccade.tasks.pretrain.build import require_maskable

METHODS = ("visreg", "lejepa", "mae", "dino")

REGULARISERS = {"visreg": 0.8, "lejepa": 0.2, "mae": 0.0, "dino": 0.0}
"""Shares of the loss. arXiv 2606.02572 has 0.6 for small sets and 0.9 for large ones, 2511.08544
has 0.05; in short trainings on CIFAR-10 more than that gave better neighbours and higher ranks."""

LR_SHARES = {"visreg": 1.0, "lejepa": 1.0, "mae": 0.5, "dino": 0.5}
"""Of the learning rate of VISReg."""

SMALL_SIDE = 64
"""Pictures below this many pixels have local views of a larger part of them."""

LONGER = 4.0
"""Passes over the data, against those of classification: no labels say less at a time."""


def method_of(settings: Mapping[str, str]) -> str:
    """The method that ``--method`` or ``--set task.method`` names; VISReg when none does.

    Raises:
        UsageError: no method is called so; the nearest is offered.
    """
    method = settings.get("task.method", "visreg")
    if method not in METHODS:
        raise UsageError(f"no method is called {method!r}; {nearest(method, METHODS)}")
    return method


def pretrain(
    facts: Facts,
    *,
    method: str,
    source: str,
    model: str | ModelConfig,
    image_size: int,
    steps: int,
    budget_seconds: float | None,
    precision: str,
    num_threads: int,
    seed: int,
) -> RunConfig:
    """A recipe for some thousand to a hundred thousand pictures.

    Command: ``saccade pretrain SOURCE --out RUN --budget 20m``. Figures, mean and spread over
    seeds, are in benchmarks/ (pretrain). AdamW, two global and four local views as in arXiv
    2511.08544 and 2606.02572; MAE as in 2111.06377 with a decoder of half the width. The learning
    rate falls with the width, from 3e-3 for 64 pictures at 96 (found on CIFAR-10) to the published
    1e-3 for 128 pictures at 384.

    Args:
        facts: about the data.
        method: ``visreg``, ``lejepa``, ``mae`` or ``dino``.
        source: the path, as the user gave it.
        model: a name such as ``vit-nano4``, or the shape of weights that there are.
        image_size: pixels a side.
        steps: optimiser steps.
        budget_seconds: the promise, or None.
        precision: ``bf16`` or ``fp32``.
        num_threads: that decode.
        seed: of everything random.

    Raises:
        UsageError: the weights are of a model that the method cannot train.
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
    shape = fresh_model(model, image_size) if isinstance(model, str) else model
    if method == "mae":
        if isinstance(model, str) and isinstance(shape, VitConfig):
            shape = replace(shape, stem="patches")  # small sizes have convolutions by default
        require_maskable(shape)
    task = task_config(shape, facts, method=method, image_size=image_size)
    batch_size = batch_size_for(facts.num_pictures)
    return replace(
        config,
        job="pretrain",
        model=shape,
        task=task,
        data=replace(config.data, batch_size=batch_size),
        augment=augmentation(facts, method=method),
        optim=OptimConfig(
            lr=LR_SHARES[method]
            * 3e-3
            * math.sqrt(batch_size / 64)
            * min(1.0, 96 / shape.embed_dim),
            weight_decay=0.05,
            beta1=0.9,
            beta2=0.95 if method == "mae" else 0.98,
            warmup=0.1,
            final_lr=0.01,
            clip_norm=1.0,
            label_smoothing=0.0,
            average=0.03,
        ),
    )


def augmentation(facts: Facts, *, method: str) -> AugmentConfig:
    """Next to nothing: views are changed inside the task, and MAE hides.

    Mirrors apply to both, and MAE sees pictures moved a little, as in its paper: at other places in
    the grid a patch is another task.
    """
    moved = method == "mae"
    return AugmentConfig(
        flip=0.5 if mirrors_are_safe(facts) else 0.0,
        translate=0.1 if moved else 0.0,
        zoom=0.25 if moved else 0.0,
        rotate_degrees=0.0,
        shear=0.0,
        colour=0.0,
        erase=0.0,
    )


def task_config(
    model: ModelConfig, facts: Facts, *, method: str, image_size: int
) -> PretrainConfig:
    """The numbers of a method for pictures of this size.

    Local views are half as high and wide, in whole patches: half the tokens cost less than half.
    """
    patch_size = model.patch_size
    heads = 4
    is_small = image_size < SMALL_SIDE
    return PretrainConfig(
        method=method,  # pyrefly: ignore[bad-argument-type] - method_of has checked it
        local_size=max(1, round(image_size / 2 / patch_size)) * patch_size,
        smallest_local=0.2 if is_small else 0.1,
        largest_local=0.6 if is_small else 0.4,
        flip=0.5 if mirrors_are_safe(facts) else 0.0,
        regulariser=REGULARISERS[method],
        decoder_dim=max(32, model.embed_dim // 2 // (2 * heads) * 2 * heads),
        decoder_heads=heads,
    )


def batch_size_for(num_pictures: int) -> int:
    """Pictures per step: of few pictures many small steps, of many larger ones.

    Half of what classification takes: each picture comes in six views.
    """
    return 128 if num_pictures >= 50_000 else 64 if num_pictures >= 500 else 32


def pretraining_epochs(num_pictures: int) -> float:
    """How often each picture should be seen before a bigger model is worth its time."""
    return LONGER * wanted_epochs(num_pictures)


def no_targets(
    config: RunConfig,
    preprocess: Preprocess,
    num_classes: int,
    batch_size: int,
) -> None:
    """There are none, to time a step with either."""
