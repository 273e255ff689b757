"""The pictures of a report: what the data looks like, what the model saw, where it failed."""

import io
import shutil
from itertools import islice
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image

from saccade.attribution.methods import default_methods
from saccade.config.run import RunConfig
from saccade.data.augment.changes import augment
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.preprocess import read_picture
from saccade.jobs.classify.judge import ClassJudgement
from saccade.reporting.overlay import overlay
from saccade.run.folder import RunFolder, write_json
from saccade.serving.explanation import Explanation
from saccade.serving.model import Model

NUM_AUGMENTED, NUM_PER_CLASS, NUM_CLASSES_SHOWN, NUM_MISTAKES, NUM_EXPLAINED = 32, 4, 12, 18, 12


def write_gallery(
    folder: RunFolder,
    model: Model,
    training: Loader,
    judged_on: Loader,
    judgement: ClassJudgement,
    *,
    config: RunConfig,
) -> None:
    """Writes ``pictures/`` and its ``index.json``, replacing what was there.

    Args:
        folder: of the run.
        model: the run's.
        training: what it learned from.
        judged_on, judgement: what it was asked, and what it answered.
        config: how the pictures were augmented.
    """
    shutil.rmtree(folder.pictures, ignore_errors=True)
    folder.pictures.mkdir()
    album = _Album(folder, model, judged_on, judgement)
    worst = judgement.worst(NUM_MISTAKES)
    shown = varied(judgement.labels, judgement.predicted, count=NUM_EXPLAINED)
    index = {
        "data": _examples(album, training),
        "batch": _augmented(album, training, config),
        "mistakes": [album.mistake(position) for position in worst],
        "attention": [album.explained(position) for position in shown],
    }
    write_json(folder.pictures / "index.json", index)


class _Album:
    """Makes the PNG files."""

    def __init__(
        self, folder: RunFolder, model: Model, loader: Loader, judgement: ClassJudgement
    ) -> None:
        self.folder, self.model, self.loader, self.judgement = folder, model, loader, judgement
        self.names = model.class_names
        self._count = 0

    def save(self, image: UInt8[np.ndarray, "H W C"], what: str) -> str:
        """Writes a PNG; returns its path inside the run folder."""
        self._count += 1
        path = self.folder.pictures / f"{what}-{self._count:03d}.png"
        png = io.BytesIO()
        Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(png, "PNG")
        path.write_bytes(png.getvalue())
        return path.relative_to(self.folder.path).as_posix()

    def explain(self, position: int) -> Explanation:
        judged, preprocess = self.judgement, self.model.preprocess
        image = read_picture(self.loader.samples.pictures, int(judged.ids[position]), preprocess)
        batch = Batch(
            images=torch.from_numpy(image.copy())[None],
            targets=None,
            ids=torch.from_numpy(judged.ids[position : position + 1]),
        )
        methods = default_methods(self.model.task)
        (explanation,) = self.model.explain_batch(
            batch, [judged.names[position]], methods=methods, label=None
        )
        return explanation

    def facts(self, position: int) -> dict[str, Any]:
        judged = self.judgement
        return {
            "path": judged.names[position],
            "label": self.names[judged.labels[position]],
            "predicted": self.names[judged.predicted[position]],
            "probability": float(judged.probability[position]),
        }

    def mistake(self, position: int) -> dict[str, Any]:
        explanation = self.explain(position)
        image = _channels_last(explanation.image)
        heat = next(iter(explanation.heats.values()))
        return {
            **self.facts(position),
            "file": self.save(image, "mistake"),
            "overlay": self.save(overlay(image, heat), "mistake-overlay"),
        }

    def explained(self, position: int) -> dict[str, Any]:
        explanation = self.explain(position)
        image = _channels_last(explanation.image)
        maps = {
            method: self.save(overlay(image, heat), method)
            for method, heat in explanation.heats.items()
        }
        return {**self.facts(position), "file": self.save(image, "attention"), "maps": maps}


def _examples(album: _Album, training: Loader) -> list[dict[str, str]]:
    """A few training pictures of each class, as the model gets them without augmentation."""
    left = dict.fromkeys(range(min(len(album.names), NUM_CLASSES_SHOWN)), NUM_PER_CLASS)
    found: list[tuple[int, str]] = []
    for batch in training.batches():
        for image, label in zip(batch.images.numpy(), batch.labels.tolist(), strict=True):
            if left.get(label, 0) > 0:
                left[label] -= 1
                found.append((label, album.save(_channels_last(image), "data")))
        if not any(left.values()):
            break
    return [{"file": file, "label": album.names[label]} for label, file in sorted(found)]


def _augmented(album: _Album, training: Loader, config: RunConfig) -> list[dict[str, str]]:
    """The first batch of the run, as the model saw it."""
    batches = training.training_batches(config.seed, start_step=0)
    shown: list[dict[str, str]] = []
    for epoch, batch, _ in islice(batches, -(-NUM_AUGMENTED // training.batch_size)):
        batch = augment(batch, config.augment, seed=config.seed, epoch=epoch)
        for image, label in zip(batch.images.numpy(), batch.spelt(album.names), strict=True):
            file = album.save(_channels_last(image), "batch")
            shown.append({"file": file, "label": label})
            if len(shown) == NUM_AUGMENTED:
                break
    return shown


def varied(
    labels: Int64[np.ndarray, " n"], predicted: Int64[np.ndarray, " n"], *, count: int
) -> list[int]:
    """Positions of one correct answer per class, then of others, evenly spaced; up to ``count``."""
    right = np.flatnonzero(labels == predicted)
    _, first = np.unique(labels[right], return_index=True)
    chosen = right[first][:: max(1, len(first) // count)].tolist()
    others = [p for p in right.tolist() if p not in set(chosen)]
    return (chosen + others)[:count]


def _channels_last(image: UInt8[np.ndarray, "C H W"]) -> UInt8[np.ndarray, "H W C"]:
    return np.ascontiguousarray(image.transpose(1, 2, 0))
