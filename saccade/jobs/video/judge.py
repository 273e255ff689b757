"""A model's answers to labelled clips, beside what it says without their order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from saccade.data.augment.draws import permutation
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.metrics.classify import ClassMetrics
from saccade.metrics.intervals import Estimate
from saccade.metrics.result import ClassResult
from saccade.serving.video import VideoModel

_SHUFFLE_SEED = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoJudgement:
    """What a model said, clip by clip, and what that amounts to.

    Attributes:
        result: the figures of the clips as they are.
        by_frame: those of the model of single frames, from their mean; None without one.
        shuffled: those of the clips with their frames in another order.
        ids: the clips, by their place in the source.
        names: the same, by name.
        labels, predicted: class ids.
        probability: of the class predicted.
        class_names: the K names.
    """

    result: ClassResult
    by_frame: ClassResult | None
    shuffled: ClassResult
    ids: Int64[np.ndarray, " n"]
    names: list[str]
    labels: Int64[np.ndarray, " n"]
    predicted: Int64[np.ndarray, " n"]
    probability: Float32[np.ndarray, " n"]
    class_names: tuple[str, ...]

    @property
    def n(self) -> int:
        """How many clips were judged."""
        return self.result.n

    @property
    def metrics(self) -> dict[str, Estimate]:
        """The figures of a classifier, and top-1 of the two that cannot know the order."""
        found = dict(self.result.metrics)
        if self.by_frame is not None:
            found["frame_average_top1"] = self.by_frame.metrics["top1"]
        return {**found, "shuffled_top1": self.shuffled.metrics["top1"]}

    @property
    def headline(self) -> str:
        """Top-1 accuracy."""
        return "top1"

    def to_json(self) -> dict[str, Any]:
        """The figures, what they say about motion, and a row for each class."""
        return {
            **self.result.to_json(),
            "metrics": {name: figure.to_json() for name, figure in self.metrics.items()},
            "headline": {"metric": self.headline, "words": "top-1 accuracy"},
            "notes": [self._about_motion()],
            "tables": [self._classes(), self._confused()],
        }

    def worst(self, count: int) -> list[int]:
        """Positions of the mistakes the model was surest of, surest first."""
        wrong = np.flatnonzero(self.labels != self.predicted)
        return wrong[np.argsort(-self.probability[wrong], kind="stable")][:count].tolist()

    def write_table(self, path: Path) -> None:
        """One row per clip, as Parquet."""
        names = np.array(self.class_names)
        table = pa.table(
            {
                "path": self.names,
                "label": names[self.labels],
                "predicted": names[self.predicted],
                "probability": self.probability,
            }
        )
        pq.write_table(table, path)

    def _about_motion(self) -> str:
        top1, shuffled = self.result.metrics["top1"], self.shuffled.metrics["top1"]
        text = (
            f"With the frames of each clip in another order the model is right in "
            f"{_percent(shuffled)} instead of {_percent(top1)}"
        )
        if self.by_frame is None:
            return f"{text}."
        by_frame = self.by_frame.metrics["top1"]
        text += f"; a model of single frames, averaged over the clip, in {_percent(by_frame)}. "
        if top1.low > by_frame.high:
            return text + "What it adds to that model it has from how things move."
        return text + (
            "The two are not clearly apart, so these figures do not show that it uses motion."
        )

    def _classes(self) -> dict[str, Any]:
        by_frame = {row.name: row for row in self.by_frame.per_class} if self.by_frame else {}
        rows = []
        for row in self.result.per_class:
            cells = [row.name, row.n, row.precision, row.recall]
            rows.append([*cells, by_frame[row.name].recall] if by_frame else cells)
        columns = ["class", "clips", "precision", "recall"]
        return {
            "title": "Classes",
            "text": "Precision: the share of the clips given this class that belong to it. Recall: "
            "the share of the clips that belong to it that were given it.",
            "columns": [*columns, "recall of single frames"] if by_frame else columns,
            "rows": rows,
        }

    def _confused(self, count: int = 15) -> dict[str, Any]:
        confusion = self.result.confusion.copy()
        np.fill_diagonal(confusion, 0)
        order = np.argsort(-confusion, axis=None, kind="stable")[:count]
        pairs = [divmod(int(k), len(self.class_names)) for k in order if confusion.flat[k]]
        return {
            "title": "Taken for each other",
            "text": "The pairs of classes that were mixed up most often.",
            "columns": ["clips of", "taken for", "times"],
            "rows": [
                [self.class_names[true], self.class_names[said], int(confusion[true, said])]
                for true, said in pairs
            ],
        }


def judge(model: VideoModel, loader: Loader) -> VideoJudgement:
    """Asks a model about labelled clips: as they are, frame by frame, and out of order."""
    names = model.class_names
    metrics, by_frame, shuffled = ClassMetrics(names), ClassMetrics(names), ClassMetrics(names)
    ids, labels, predicted, probability = [], [], [], []
    for batch in loader.batches():
        probs = model.probs(batch)
        metrics.update(torch.from_numpy(probs), batch.labels)
        frame_probs = model.frame_probs(batch)
        if frame_probs is not None:
            by_frame.update(torch.from_numpy(frame_probs), batch.labels)
        mixed = Batch(images=out_of_order(batch), targets=batch.targets, ids=batch.ids)
        shuffled.update(torch.from_numpy(model.probs(mixed)), batch.labels)
        ids.append(batch.ids.numpy())
        labels.append(batch.labels.numpy())
        predicted.append(probs.argmax(axis=1))
        probability.append(probs.max(axis=1))
    every = np.concatenate(ids)
    return VideoJudgement(
        result=metrics.result(),
        by_frame=None if model.task.frame_model is None else by_frame.result(),
        shuffled=shuffled.result(),
        ids=every,
        names=[loader.samples.pictures.name(i) for i in every.tolist()],
        labels=np.concatenate(labels),
        predicted=np.concatenate(predicted),
        probability=np.concatenate(probability),
        class_names=names,
    )


def out_of_order(batch: Batch) -> UInt8[Tensor, "B T C H W"]:
    """The frames of each clip in an order of its own, the same every time."""
    num_frames = batch.images.shape[1]
    return torch.stack(
        [
            clip[torch.from_numpy(permutation(_SHUFFLE_SEED, int(i), num_frames))]
            for clip, i in zip(batch.images, batch.ids, strict=True)
        ]
    )


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.1f} %"
