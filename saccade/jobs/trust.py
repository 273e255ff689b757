"""After training: how sure a classifier may be, and what it knows its pictures by."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from saccade.data.augment.draws import permutation
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.samples import Samples, count
from saccade.errors import DataError
from saccade.metrics.temperature import fit_temperature
from saccade.serving.engine import Engine
from saccade.serving.evidence import ClassEngine, Evidence, evidence, familiarity
from saccade.serving.known import MOST_HELD_OUT, NUM_KEPT, Known, kept_scores, standardise

FEWEST = 50
"""Held-out pictures from which on a temperature is more than chance."""

_SEED = 0


class Trust(NamedTuple):
    """What held-out pictures say about a model's probabilities.

    Attributes:
        temperature: divisor of its logits.
        known: what it knows its pictures by.
    """

    temperature: float
    known: Known


def learn_trust(engine: Engine, training: Loader, validation: Loader) -> Trust | None:
    """Fits the temperature and remembers training pictures and held-out scores.

    Args:
        engine: with the best weights and a temperature of 1.
        training: what it learned from.
        validation: what was held out; the same loader where nothing was.

    Returns:
        None where the answers are not classes, or too few pictures were held out.
    """
    if not engine.names_classes or validation is training or len(validation.samples) < FEWEST:
        return None
    held_out, labels = _seen(engine, validation.samples, at_most=MOST_HELD_OUT)
    if len(labels) < FEWEST:  # others could not be read
        return None
    temperature = fit_temperature(held_out.plain_logits.numpy(), labels.numpy())
    # No more than were held out, at least 500: of large pictures this pass takes minutes too.
    num_kept = min(NUM_KEPT, max(500, len(validation.samples)))
    remembered, _ = _seen(engine, training.samples, at_most=num_kept)
    mean, scale, vectors = standardise(remembered.parts)
    known = Known(mean=mean, scale=scale, vectors=vectors, held_out={})
    scores = familiarity(replace(engine, temperature=temperature, known=known), held_out)
    return Trust(
        temperature,
        replace(known, held_out={name: kept_scores(of.numpy()) for name, of in scores.items()}),
    )


def _seen(
    engine: ClassEngine, samples: Samples, *, at_most: int
) -> tuple[Evidence, Int64[Tensor, " n"]]:
    """What the model makes of some of the pictures, drawn evenly, and their classes."""
    if len(samples) > at_most:
        samples = samples.take(np.sort(permutation(_SEED, 0, len(samples))[:at_most]))
    seen = list(_batches(engine, samples))
    if not seen:
        raise DataError(f"none of {count(len(samples), samples.noun)} can be read; restore them")
    found, labels = zip(*seen, strict=True)
    logits: list[Float32[Tensor, "B K"]] = [each.plain_logits for each in found]
    parts = zip(*(each.parts for each in found), strict=True)
    return (
        Evidence(torch.cat(logits), torch.cat(logits), tuple(torch.cat(part) for part in parts)),
        torch.cat(labels),
    )


def _batches(
    engine: ClassEngine, samples: Samples
) -> Iterator[tuple[Evidence, Int64[Tensor, " B"]]]:
    batch: Batch
    for batch in engine.loader(samples).batches():
        yield evidence(engine, batch), batch.labels
