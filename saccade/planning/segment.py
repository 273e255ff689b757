"""Segmentation: a complete config from a few facts about the data."""

import math
from dataclasses import replace

import torch

from saccade.config.model import ModelConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import SegmentConfig
from saccade.data.targets import MapTargets, SegmentTargets
from saccade.planning.classify import augmentation, classify
from saccade.planning.classify import preprocess_for as square_preprocess
from saccade.planning.facts import Facts

BATCH_SIZE = 16
"""Pictures per step: each has thousands of labels, so many steps beat large ones."""

FEWEST_QUERIES, MOST_QUERIES = 20, 200
"""Of eomt; between them twice as many as the fullest picture looked at has segments."""

LR = 1.5e-3
"""At a width of 128 and 16 pictures a step."""


def segment(
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
    """A from-scratch recipe for masks of classes or of objects.

    Command: ``saccade train SOURCE --job segment --out RUN --budget 10m``. Figures, with spread, on
    two cores are in benchmarks/ (segment). A linear head after DINOv3 (arXiv 2508.10104); queries,
    their losses and the annealed mask after EoMT (arXiv 2503.19108).

    Classes of pixels are learned by the upsampling head, objects by eomt. Augmentation keeps what
    is thin: no erasing, and the picture is moved, scaled and turned once, with its mask.

    Args: as ``saccade.planning.classify.classify``.
    """
    base = classify(
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
    has_objects = facts.num_segments is not None
    wanted = 2 * (facts.num_segments or 0)
    epochs = steps * BATCH_SIZE / max(facts.num_pictures, 1)
    return replace(
        base,
        job="segment",
        data=replace(base.data, fit="pad", batch_size=BATCH_SIZE),
        augment=replace(augmentation(facts, epochs=epochs, image_size=image_size), erase=0.0),
        optim=replace(
            base.optim,
            lr=LR * min(1.0, math.sqrt(128 / base.model.embed_dim)),
            label_smoothing=0.0,
        ),
        task=SegmentConfig(
            method="eomt" if has_objects else "upsample",
            truth="segments" if has_objects else "classes",
            stuff=facts.stuff,
            num_queries=min(MOST_QUERIES, max(FEWEST_QUERIES, math.ceil(wanted / 10) * 10)),
        ),
    )


def preprocess_for(config: RunConfig, facts: Facts) -> Preprocess:
    """Pictures of the usual aspect, the long side ``data.image_size``, the other whole patches.

    A mask follows its picture to the pixel, so nothing is cut off; a picture of another aspect has
    bars at two sides, which are neither learned nor counted.
    """
    square = square_preprocess(config, facts)
    if not facts.height or not facts.width:
        return square
    patch_size = config.model.patch_size
    long_side = max(facts.height, facts.width)

    def side(pixels: int) -> int:
        whole = config.data.image_size * pixels / long_side / patch_size
        return patch_size * max(1, round(whole))

    if facts.height == facts.width:
        return square
    tall = facts.height > facts.width
    return replace(
        square,
        height=config.data.image_size if tall else side(facts.height),
        width=side(facts.width) if tall else config.data.image_size,
    )


def made_up_targets(
    config: RunConfig, preprocess: Preprocess, num_classes: int, batch_size: int
) -> MapTargets | SegmentTargets:
    """Stripes, to time a step with: of classes, or of eight segments."""
    assert isinstance(config.task, SegmentConfig)
    height, width = preprocess.height, preprocess.width
    stripes = (torch.arange(width) * 8 // width).expand(batch_size, height, width)
    if config.task.truth == "classes":
        return MapTargets(classes=(stripes % max(num_classes, 1)).to(torch.uint8))
    labels = torch.arange(8) % max(num_classes, 1)
    return SegmentTargets(
        segments=(stripes + 1).to(torch.int32), labels=labels.expand(batch_size, 8).clone()
    )
