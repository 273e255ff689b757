"""How good a generator's pictures are: samples beside real pictures, a Gaussian and noise."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float, Float32, Int64, UInt8

from saccade.data.loader import Loader
from saccade.jobs.generate.looking import (
    Looked,
    evenly,
    look,
    noise_like,
    pictures_of,
    pixel_gaussian,
    samples_of,
)
from saccade.metrics.distance import (
    FEWEST_PER_FEATURE,
    frechet,
    kernel_distance,
    nearest,
    with_interval,
)
from saccade.metrics.intervals import Estimate, mean_estimate, percentile_estimate, wilson
from saccade.run.device import autocast
from saccade.serving.engine import Engine
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.observer import NUM_FEATURES

MAX_REAL = 5000
"""Real pictures of each side that are compared; more make no figure much surer."""

CLOSE = 0.01
"""The share of judged pictures that lie as near to a training picture as a copy would."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GenerateJudgement:
    """The figures of a generator.

    Attributes:
        n: real pictures judged against.
        metrics: by name.
        names, flow_losses: of these pictures.
        rows: the table of distances: what was compared, of how many pictures, the figures.
        fingerprint: of the observer.
        has_learned: whether the observer knows classes, or is random.
        notes: what to keep in mind.
    """

    n: int
    metrics: dict[str, Estimate]
    names: list[str]
    flow_losses: Float32[np.ndarray, " n"]
    rows: list[list[Any]]
    fingerprint: str
    has_learned: bool
    notes: list[str]

    headline = "frechet_share"

    def to_json(self) -> dict[str, Any]:
        """See ``Judgement``."""
        kind = "a small network that learned the training pictures' classes"
        if not self.has_learned:
            kind = "a small network with random numbers, since the pictures have no classes"
        return {
            "n": self.n,
            "metrics": {name: figure.to_json() for name, figure in self.metrics.items()},
            "headline": {
                "metric": self.headline,
                "words": "the samples' distance to real pictures, as a share of that of noise (low "
                "is better)",
            },
            "observer": self.fingerprint,
            "tables": [
                {
                    "title": "How far from real pictures",
                    "text": "Distances to the judged pictures between features of this run's own "
                    f"observer {self.fingerprint}, {kind}. They can be compared within this table "
                    "and with those of the same observer, not with others, and not with published "
                    "ones. Real training pictures are as near as samples could be; noise is as far "
                    "as a picture can be. The nearest ratio above is how far samples lie from the "
                    "nearest training picture, over how far judged pictures do: near 0 for copies; "
                    "copies is the share that lie as near as only 1 % of judged pictures do.",
                    "columns": [
                        "pictures", "number", "Fréchet", "share of noise", "kernel distance",
                        "taken for their class",
                    ],
                    "rows": self.rows,
                }
            ],
            "notes": self.notes,
        }  # fmt: skip

    def write_table(self, path: Path) -> None:
        """One row per judged picture: how badly the model knows the way to it."""
        pq.write_table(pa.table({"path": self.names, "flow_loss": self.flow_losses}), path)


def judge(engine: Engine[Generate], loader: Loader) -> GenerateJudgement:
    """Draws samples and compares them with real pictures; see docs/generation.md."""
    task = engine.task
    num_held_out = len(loader.samples)
    if num_held_out > task.config.num_real:
        loader = engine.loader(evenly(loader.samples, task.config.num_real))
    ids, losses, real_images, real_labels = _real(engine, loader)
    real = look(engine, real_images, real_labels)
    made = samples_of(engine)
    drawn = look(engine, made.images, made.labels)
    sets = {
        "samples": drawn,
        "Gaussian of each pixel": look(engine, pixel_gaussian(real_images, len(made.images)), None),
        "noise": look(engine, noise_like(made.images.shape), None),
    }
    training = _training(engine, len(made.images))
    if training is not None:
        sets = {"training pictures": training} | sets
    notes = [
        f"Judged are {len(made.images):,} samples (task.num_judged) and {len(ids):,} of "
        f"{num_held_out:,} real pictures (task.num_real); after a short training fewer of both."
    ]
    notes += _notes(len(made.images), len(real_images), has_training=training is not None)
    ceiling = frechet(sets["noise"].features, real.features)
    rows = [_row(name, looked, real, ceiling) for name, looked in sets.items()]

    distance = with_interval(frechet, drawn.features, real.features)
    metrics = {
        "frechet_share": Estimate(*(max(0.0, v) / ceiling for v in _ends(distance))),
        "frechet": distance,
        "kernel_distance": with_interval(kernel_distance, drawn.features, real.features),
        "flow_loss": mean_estimate(losses),
    }
    if drawn.hits is not None and real.hits is not None:
        metrics["accuracy"] = wilson(int(drawn.hits.sum()), len(drawn.hits))
        metrics["observer_top1"] = wilson(int(real.hits.sum()), len(real.hits))
    if training is not None:
        metrics |= memorisation(drawn.features, real.features, training.features)
    names = [loader.samples.pictures.name(i) for i in ids.tolist()]
    return GenerateJudgement(
        n=len(ids),
        metrics=metrics,
        names=names,
        flow_losses=losses,
        rows=rows,
        fingerprint=task.observer.fingerprint(),
        has_learned=task.observer.has_learned,
        notes=notes,
    )


def memorisation(
    made: Float[np.ndarray, "n F"],
    real: Float[np.ndarray, "_m F"],
    training: Float[np.ndarray, "_k F"],
) -> dict[str, Estimate]:
    """Whether samples lie nearer to training pictures than pictures do that were never trained on.

    Returns:
        ``nearest_ratio``: the median distance of samples to the nearest training picture, over that
        of the judged pictures; near 1 for new pictures, near 0 for copies. ``copies``: the share of
        samples that lie as near to one as only ``CLOSE`` of the judged pictures do.
    """
    own, theirs = nearest(made, training), nearest(real, training)
    limit = np.quantile(theirs, CLOSE)
    generator = np.random.default_rng(0)
    draws = np.array(
        [
            np.median(generator.choice(own, len(own)))
            / max(np.median(generator.choice(theirs, len(theirs))), 1e-12)
            for _ in range(200)
        ]
    )
    ratio = float(np.median(own) / max(np.median(theirs), 1e-12))
    return {
        "nearest_ratio": percentile_estimate(ratio, draws),
        "copies": wilson(int((own < limit).sum()), len(own)),
    }


def _real(
    engine: Engine[Generate], loader: Loader
) -> tuple[
    Int64[np.ndarray, " n"],
    Float32[np.ndarray, " n"],
    UInt8[np.ndarray, "_k C H W"],
    Int64[np.ndarray, " _k"] | None,
]:
    """The judged pictures' ids and losses, and up to ``MAX_REAL`` of the pictures."""
    ids, losses, images, labels = [], [], [], []
    every = max(1, -(-len(loader.samples) // MAX_REAL))
    done = 0
    for batch in loader.batches():
        on_device = batch.to(engine.device)
        with torch.inference_mode(), autocast(engine.device, engine.precision):
            losses.append(engine.task.judge(on_device, knows_labels=True).float().cpu().numpy())
        ids.append(batch.ids.numpy())
        kept = (np.arange(len(batch)) + done) % every == 0
        done += len(batch)
        images.append(batch.images.numpy()[kept])
        if engine.class_names:
            labels.append(batch.labels.numpy()[kept])
    return (
        np.concatenate(ids),
        np.concatenate(losses),
        np.concatenate(images),
        np.concatenate(labels) if labels else None,
    )


def _training(engine: Engine[Generate], count: int) -> Looked | None:
    if engine.training is None:
        return None
    most = min(MAX_REAL, engine.task.config.num_real)
    made = pictures_of(engine, engine.training, max(count, most))
    return look(engine, made.images, made.labels)


def _row(name: str, looked: Looked, real: Looked, ceiling: float) -> list[Any]:
    distance = frechet(looked.features, real.features)
    hits = None if looked.hits is None else float(looked.hits.mean())
    kernel = kernel_distance(looked.features, real.features)
    return [name, len(looked.features), distance, distance / ceiling, kernel, hits]


def _notes(num_made: int, num_real: int, *, has_training: bool) -> list[str]:
    notes = []
    fewest = FEWEST_PER_FEATURE * NUM_FEATURES
    if min(num_made, num_real) < fewest:
        notes.append(
            f"Fréchet distances of fewer than {fewest:,} pictures ({FEWEST_PER_FEATURE} for each "
            f"of {NUM_FEATURES} features) are too large by an unknown amount; these are of "
            f"{num_made:,} samples and {num_real:,} real pictures. The kernel distance has no such "
            "bias."
        )
    if not has_training:
        notes.append(
            "The training pictures are not at hand, so there is no floor and no look for copies."
        )
    return notes


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high
