"""Metric learning from scratch: a complete config from a few facts about the data."""

from dataclasses import replace

from saccade.config.model import ModelConfig
from saccade.config.run import RunConfig
from saccade.config.task import EmbedConfig
from saccade.planning.classify import classify
from saccade.planning.facts import Facts


def embed(
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
    """Vectors for a search, from class folders.

    Command: ``saccade train SOURCE --out RUN --job embed --budget 10m``. The numbers are those of
    classification, whose network and data these are; only what the loss smooths over is left to
    its temperature. docs/retrieval.md has the comparison that the loss was chosen by.

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
    return replace(
        config,
        job="embed",
        task=EmbedConfig(),
        optim=replace(config.optim, label_smoothing=0.0),
    )
