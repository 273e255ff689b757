"""How good translations are: pixel by pixel, and as a set; the flow beside its baseline."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float32, Float64, Int64, UInt8
from torch import Tensor

from saccade.data.loader import Loader
from saccade.jobs.generate.looking import evenly
from saccade.metrics.distance import FEWEST_PER_FEATURE, frechet, kernel_distance, with_interval
from saccade.metrics.intervals import Estimate, mean_estimate
from saccade.metrics.likeness import psnr, ssim
from saccade.run.device import autocast
from saccade.serving.engine import Engine
from saccade.tasks.flow.observer import NUM_FEATURES
from saccade.tasks.flow.sampling import JUDGING_SEED
from saccade.tasks.flow.translate import Translate

PIECE_PX = 32
"""Larger pictures are compared in pieces of so many pixels a side, so that few give many."""

WAYS = ("flow", "regression")


class Answered(NamedTuple):
    """Some pairs and both answers to each, as bytes.

    Attributes:
        ids: of the pictures.
        condition, target: what was given, and what it was to become.
        flow, regression: what it did become.
    """

    ids: Int64[Tensor, " B"]
    condition: UInt8[Tensor, "B C2 H W"]
    target: UInt8[Tensor, "B C H W"]
    flow: UInt8[Tensor, "B C H W"]
    regression: UInt8[Tensor, "B C H W"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TranslateJudgement:
    """The figures of a translator and of its baseline.

    Attributes:
        n: pairs judged.
        metrics: by name, those of the baseline with ``regression_`` before it.
        names: of the pictures.
        each: by column, a number for each of them.
        rows: the table.
        fingerprint: of the observer.
        notes: what to keep in mind.
    """

    n: int
    metrics: dict[str, Estimate]
    names: list[str]
    each: dict[str, Float64[np.ndarray, " n"]]
    rows: list[list[Any]]
    fingerprint: str
    notes: list[str]

    headline = "frechet"

    def to_json(self) -> dict[str, Any]:
        """See ``Judgement``."""
        return {
            "n": self.n,
            "metrics": {name: figure.to_json() for name, figure in self.metrics.items()},
            "headline": {
                "metric": self.headline,
                "words": "from the flow's answers to the true pictures (low is better; the "
                f"one-step regression's is {self.metrics['regression_frechet'].value:.3g})",
                "unit": "distance",
            },
            "observer": self.fingerprint,
            "tables": [
                {
                    "title": "Flow and one-step regression",
                    "text": "PSNR and SSIM compare each answer with its own target: high is like "
                    "it, and the blurred mean of all possible answers does well. Distances compare "
                    "the answers as a set with the targets as a set, between features of this "
                    f"run's observer {self.fingerprint}, which has random numbers: low is like "
                    "real pictures, and blur does badly. Other targets are one half of the true "
                    "pictures against the other, as near as answers could be; the condition itself "
                    "is no answer at all.",
                    "columns": [
                        "answers", "PSNR in dB", "SSIM", "Fréchet", "kernel distance"
                    ],
                    "rows": self.rows,
                }
            ],
            "notes": self.notes,
        }  # fmt: skip

    def write_table(self, path: Path) -> None:
        """One row per pair."""
        pq.write_table(pa.table({"path": self.names, **self.each}), path)


def judge(engine: Engine[Translate], loader: Loader) -> TranslateJudgement:
    """Translates up to ``task.num_judged`` conditions both ways and compares with the truth."""
    num_held_out, most = len(loader.samples), engine.task.config.num_judged
    if num_held_out > most:
        loader = engine.loader(evenly(loader.samples, most))
    observer = engine.task.observer
    seen: dict[str, list[np.ndarray]] = {name: [] for name in ("target", "condition", *WAYS)}
    each: dict[str, list[np.ndarray]] = {}
    ids: list[int] = []

    def note(column: str, values: Tensor) -> None:
        each.setdefault(column, []).append(values.double().cpu().numpy())

    for answered, losses in answers(engine, loader):
        ids += answered.ids.tolist()
        shown = {
            "target": answered.target,
            "condition": _with_channels(answered.condition, answered.target.shape[1]),
            "flow": answered.flow,
            "regression": answered.regression,
        }
        for name, images in shown.items():
            with torch.inference_mode():
                seen[name].append(observer.features(pieces(images)).cpu().numpy())
            if name != "target":
                note(f"{name}_psnr", psnr(images, answered.target))
                note(f"{name}_ssim", ssim(images, answered.target))
        note("flow_loss", losses[:, 0])
        note("regression_loss", losses[:, 1])
    features = {name: np.concatenate(parts) for name, parts in seen.items()}
    columns = {name: np.concatenate(parts) for name, parts in each.items()}
    return TranslateJudgement(
        n=len(ids),
        metrics=_metrics(features, columns),
        names=[loader.samples.pictures.name(i) for i in ids],
        each=columns,
        rows=_rows(features, columns),
        fingerprint=observer.fingerprint(),
        notes=[
            f"Judged are {len(ids):,} of {num_held_out:,} pairs (task.num_judged); after a short "
            "training fewer.",
            *_notes(len(features["target"]), len(ids)),
        ],
    )


def answers(
    engine: Engine[Translate], loader: Loader
) -> Iterator[tuple[Answered, Float32[Tensor, "B 2"]]]:
    """Both answers to each pair, and the losses of both."""
    task = engine.task
    for batch in loader.batches():
        on_device = batch.to(engine.device)
        with torch.inference_mode():
            pair = task.pair(on_device)
            found = task.translate(
                pair.condition,
                on_device.ids,
                seed=JUDGING_SEED,
                num_steps=task.config.flow.num_steps,
            )
            with autocast(engine.device, engine.precision):
                losses = task.judge(pair, on_device.ids).float()
        answered = Answered(
            batch.ids, pair.condition, pair.picture, found.pictures, found.regression
        )
        yield answered, losses


def pieces(images: UInt8[Tensor, "B C H W"]) -> UInt8[Tensor, "n C h w"]:
    """Pictures from one and a half ``PIECE_PX`` on as squares of that side, without overlap."""
    height, width = images.shape[2:]
    if min(height, width) < 1.5 * PIECE_PX:
        return images
    cut = images.unfold(2, PIECE_PX, PIECE_PX).unfold(3, PIECE_PX, PIECE_PX)  # B C h w P P
    return cut.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)


def _metrics(
    features: dict[str, np.ndarray], columns: dict[str, np.ndarray]
) -> dict[str, Estimate]:
    metrics = {}
    for way in WAYS:
        prefix = "" if way == "flow" else "regression_"
        metrics[f"{prefix}frechet"] = with_interval(frechet, features[way], features["target"])
        metrics[f"{prefix}kernel_distance"] = with_interval(
            kernel_distance, features[way], features["target"]
        )
        metrics[f"{prefix}psnr"] = mean_estimate(columns[f"{way}_psnr"])
        metrics[f"{prefix}ssim"] = mean_estimate(columns[f"{way}_ssim"])
    metrics["flow_loss"] = mean_estimate(columns["flow_loss"])
    metrics["regression_loss"] = mean_estimate(columns["regression_loss"])
    return metrics


def _rows(features: dict[str, np.ndarray], columns: dict[str, np.ndarray]) -> list[list[Any]]:
    """One half of the targets against the other is the floor."""
    target = features["target"]
    rows: list[list[Any]] = []
    if len(target) > 1:
        halves = target[::2], target[1::2]
        rows.append(["other targets", None, None, frechet(*halves), kernel_distance(*halves)])
    for name, words in (
        ("flow", "flow"),
        ("regression", "one-step regression"),
        ("condition", "the condition itself"),
    ):
        rows.append(
            [
                words,
                float(columns[f"{name}_psnr"].mean()),
                float(columns[f"{name}_ssim"].mean()),
                frechet(features[name], target),
                kernel_distance(features[name], target),
            ]
        )
    return rows


def _notes(num_pieces: int, num_pictures: int) -> list[str]:
    notes = []
    if num_pieces > num_pictures:
        notes.append(
            f"Distances are between {num_pieces:,} pieces of {PIECE_PX} x {PIECE_PX} pixels: they "
            "see textures and edges, not whether a picture holds together."
        )
    fewest = FEWEST_PER_FEATURE * NUM_FEATURES
    if num_pieces < fewest:
        notes.append(
            f"Fréchet distances of fewer than {fewest:,} are too large by an unknown amount; these "
            f"are of {num_pieces:,}. The kernel distance has no such bias."
        )
    return notes


def _with_channels(images: UInt8[Tensor, "B C2 H W"], channels: int) -> UInt8[Tensor, "B C H W"]:
    return images.expand(-1, channels, -1, -1) if images.shape[1] == 1 else images
