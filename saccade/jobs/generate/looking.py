"""What a generator is compared with, and what its observer sees in it."""

from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8

from saccade.data.loader import Loader
from saccade.data.samples import Samples
from saccade.serving.engine import Engine
from saccade.serving.generate import Generator
from saccade.tasks.flow.generate import Generate

_CHUNK = 250


class Looked(NamedTuple):
    """What the observer saw in a set of pictures.

    Attributes:
        features: a row per picture.
        hits: whether it took each for the class that it is, or was to be; None without classes.
    """

    features: Float32[np.ndarray, "n F"]
    hits: np.ndarray | None


class Made(NamedTuple):
    """The samples that all figures and pictures of a run are taken on."""

    images: UInt8[np.ndarray, "n C H W"]
    labels: Int64[np.ndarray, " n"] | None


def samples_of(engine: Engine[Generate]) -> Made:
    """Draws them, once for a task: validation, test and gallery look at the same ones."""
    if engine.task not in _MADE:
        drawn = Generator(engine).sample(engine.task.config.num_judged)
        names = engine.class_names
        labels = np.array([names.index(label) for label in drawn.labels if label is not None])
        _MADE[engine.task] = Made(drawn.images, labels.astype(np.int64) if names else None)
    return _MADE[engine.task]


_MADE: WeakKeyDictionary[Generate, Made] = WeakKeyDictionary()


def look(
    engine: Engine[Generate],
    images: UInt8[np.ndarray, "n C H W"],
    labels: Int64[np.ndarray, " n"] | None,
) -> Looked:
    """Shows pictures to the observer; in fp32."""
    observer = engine.task.observer
    features, hits = [], []
    for start in range(0, len(images), _CHUNK):
        some = torch.from_numpy(images[start : start + _CHUNK]).to(engine.device)
        with torch.inference_mode():
            features.append(observer.features(some).cpu().numpy())
            if labels is not None:
                answers = observer.logits(some).argmax(dim=1).cpu().numpy()
                hits.append(answers == labels[start : start + _CHUNK])
    return Looked(np.concatenate(features), np.concatenate(hits) if hits else None)


def pictures_of(engine: Engine[Generate], loader: Loader, count: int) -> Made:
    """Some pictures of a loader, evenly spaced, as the model gets them."""
    few = engine.loader(evenly(loader.samples, count))
    batches = list(few.batches())
    images = np.concatenate([batch.images.numpy() for batch in batches])
    if not engine.class_names:
        return Made(images, None)
    return Made(images, np.concatenate([batch.labels.numpy() for batch in batches]))


def evenly(samples: Samples, count: int) -> Samples:
    """So many of them, evenly spaced; all where there are fewer."""
    return samples.take(np.unique(np.linspace(0, len(samples) - 1, count).astype(np.int64)))


def pixel_gaussian(
    images: UInt8[np.ndarray, "_k C H W"], count: int
) -> UInt8[np.ndarray, "n C H W"]:
    """Pictures whose pixels have the mean and deviation of real ones, and nothing in common."""
    mean, std = images.mean(axis=0, dtype=np.float64), images.std(axis=0, dtype=np.float64)
    drawn = np.random.default_rng(0).normal(mean, std, (count, *images.shape[1:]))
    return drawn.round().clip(0, 255).astype(np.uint8)


def noise_like(shape: Sequence[int]) -> UInt8[np.ndarray, "n C H W"]:
    """Where a generator begins."""
    drawn = np.random.default_rng(1).normal(127.5, 127.5, tuple(shape))
    return drawn.round().clip(0, 255).astype(np.uint8)
