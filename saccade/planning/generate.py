"""Generation: a complete config from a few facts about the pictures."""

import math
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from saccade.backbones.sizes import model_config
from saccade.config.model import ModelConfig, VitConfig
from saccade.config.run import AugmentConfig, DataConfig, OptimConfig, Preprocess, RunConfig
from saccade.config.task import FlowConfig, GenerateConfig
from saccade.errors import UsageError
from saccade.planning.classify import (
    MAX_BAD_FRACTION,
    TEST_FRACTION,
    VAL_FRACTION,
    batch_size_for,
    mirrors_are_safe,
)
from saccade.planning.facts import Facts

CALLS_OF_TRAINING = 3
"""A picture of training costs as much as asking the network three times."""

_FEWEST_SAMPLES = 64
_FEWEST_REAL = 500


def generate(
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
    """A plain transformer on raw patches that predicts the clean picture.

    Command: ``saccade train SOURCE --job generate --out RUN --steps 10000``. Figures, mean and
    spread over seeds on one core, are in benchmarks/ (generate). After JiT (arXiv 2511.13720): the
    loss on the velocity, adaLN-zero, normalised queries and keys, no weight decay; its bottleneck,
    its class tokens and its SwiGLU are left out, which pay at a size that this is not for.

    Args:
        facts: about the data.
        source: the path, as the user gave it.
        model: of the family ``vit``, such as ``vit-nano4``, or the shape of weights that there are.
        image_size: pixels a side.
        steps: optimiser steps.
        budget_seconds: the promise, or None.
        precision: ``bf16`` or ``fp32``, of training; pictures are drawn in fp32.
        num_threads: that decode.
        seed: of everything random.

    Raises:
        UsageError: the model is of another family.
    """
    shape = plain_vit(model)
    batch_size = batch_size_for(facts.num_pictures)
    num_trained = steps * min(batch_size, facts.num_pictures)
    return RunConfig(
        job="generate",
        seed=seed,
        steps=steps,
        budget_seconds=budget_seconds,
        log_every=max(1, min(50, steps // 100)),
        evaluate_every=max(1, steps // _num_validations(facts.num_pictures, num_trained)),
        save_every=max(1, min(500, steps // 4)),
        precision="bf16" if precision == "bf16" else "fp32",
        model=shape,
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
        augment=only_mirrors(facts),
        optim=OptimConfig(
            lr=2e-3 * math.sqrt(batch_size / 128) * min(1.0, math.sqrt(128 / shape.embed_dim)),
            weight_decay=0.0,
            beta1=0.9,
            beta2=0.95,
            warmup=0.05,
            final_lr=0.01,
            clip_norm=1.0,
            label_smoothing=0.0,
            average=0.1,
        ),
        task=judged_within(num_trained),
    )


def judged_within(num_trained: int) -> GenerateConfig:
    """Fewer samples and real pictures after a short training, or judging would be most of the work.

    A sample asks the network some 100 times and a real picture 4 times; a picture of training costs
    three times as much as asking. So either takes up to a third of the training's time, and from
    50,000 pictures on there are as many samples as ever.

    Args:
        num_trained: pictures that the training goes through, with all repeats.
    """
    full = GenerateConfig()
    return replace(
        full,
        num_judged=min(full.num_judged, max(_FEWEST_SAMPLES, num_trained // 100)),
        num_real=min(full.num_real, max(_FEWEST_REAL, num_trained // 10)),
    )


def judging_cost(config: RunConfig, facts: Facts) -> float:
    """What the figures at the end cost, in pictures of training."""
    task = config.task
    assert isinstance(task, GenerateConfig)
    guided = 2 if facts.num_classes and task.guidance != 1 else 1
    sampled = task.num_judged * calls_of(task.flow) * guided
    real = 4 * sum(min(task.num_real, num) for num in facts.num_held_out)
    return (sampled + real) / CALLS_OF_TRAINING


def calls_of(flow: FlowConfig) -> int:
    """How often a sample asks the network: each step twice, the last one once."""
    return 2 * flow.num_steps - 1


def _num_validations(num_pictures: int, num_trained: int) -> int:
    """Ten, or fewer where they would take more than a third of the training's time."""
    return min(10, max(1, round(num_trained / (4 * max(1.0, VAL_FRACTION * num_pictures)))))


def plain_vit(model: str | ModelConfig) -> VitConfig:
    """The shape of a denoiser: linear patches, normalised queries and keys.

    Raises:
        UsageError: the model is of another family than ``vit``.
    """
    shape = model_config(model) if isinstance(model, str) else model
    if not isinstance(shape, VitConfig):
        raise UsageError(
            f"the model is of the family {shape.family}; pictures are generated and translated by "
            "vit alone: leave --model out, or give one such as vit-nano4"
        )
    return replace(shape, stem="patches", has_qk_norm=True)


def only_mirrors(facts: Facts) -> AugmentConfig:
    """Every other change would be learned, and drawn."""
    return AugmentConfig(
        flip=0.5 if mirrors_are_safe(facts) else 0.0,
        translate=0.0,
        zoom=0.0,
        rotate_degrees=0.0,
        shear=0.0,
        colour=0.0,
        erase=0.0,
    )


def from_minus_one_to_one(config: RunConfig, facts: Facts) -> Preprocess:  # noqa: ARG001  as in Recipe
    """Pixels in [-1, 1], whatever the pictures' colours: noise of one strength suits all."""
    data = config.data
    return Preprocess(
        height=data.image_size,
        width=data.image_size,
        channels=data.channels,
        fit=data.fit,
        mean=(0.5,) * data.channels,
        std=(0.5,) * data.channels,
    )


def label_targets(
    config: RunConfig,  # noqa: ARG001  as in Recipe
    preprocess: Preprocess,  # noqa: ARG001
    num_classes: int,
    batch_size: int,
) -> Int64[Tensor, " B"] | None:
    """Made-up labels to time a step with; none where the pictures have no classes."""
    return torch.arange(batch_size) % num_classes if num_classes else None


def flow_epochs(num_pictures: int) -> float:
    """How often each picture should be seen before a bigger model is worth its time.

    Thirty times at 50,000 pictures, and more, by the square root, when there are fewer: each sight
    of a picture is one time and one noise of very many.
    """
    return min(400.0, max(10.0, 30 * math.sqrt(50_000 / max(num_pictures, 1))))
