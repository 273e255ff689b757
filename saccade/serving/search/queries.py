"""What an index is asked: pictures, or vectors that were made before."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32

from saccade.data.batch import Batch
from saccade.data.samples import Samples
from saccade.run.device import autocast
from saccade.serving.engine import Engine
from saccade.serving.features import EmbeddingPool, embedding
from saccade.serving.search.items import read_items
from saccade.serving.search.rows import open_rows
from saccade.serving.search.vectors import VectorFolder


class Query(NamedTuple):
    """One thing to search by.

    Attributes:
        path: as it was given.
        vector: of the model, not whitened; None where the picture could not be read.
        error: why there is no vector.
    """

    path: str
    vector: Float32[np.ndarray, " D"] | None
    error: str | None


def embed_queries(engine: Engine, samples: Samples, *, pool: EmbeddingPool) -> Iterator[Query]:
    """Pictures, in order; those that cannot be read say why."""

    def answers(batch: Batch) -> Iterator[Query]:
        with torch.inference_mode(), autocast(engine.device, engine.precision):
            vectors = embedding(engine.task, batch.to(engine.device), pool=pool).cpu().numpy()
        for i, vector in zip(batch.ids.tolist(), vectors, strict=True):
            yield Query(samples.pictures.name(i), vector, None)

    yield from engine.in_order(samples, answers, unreadable=_unreadable)


def is_vector_folder(path: str | Path) -> bool:
    """Whether ``saccade embed`` made this."""
    folder = VectorFolder(path)
    return folder.manifest.is_file() and (folder.vectors.is_file() or folder.parts.is_dir())


def read_queries(folder: VectorFolder) -> Iterator[Query]:
    """The vectors of a folder that ``saccade embed`` made; it must be complete."""
    vectors = open_rows(folder.vectors)
    for row, item in enumerate(read_items(folder.items).to_pylist()):
        if item["error"] is None:
            yield Query(item["path"], vectors[row], None)
        else:
            yield Query(item["path"], None, item["error"])


def _unreadable(name: str, reason: str) -> Query:
    return Query(name, None, reason)
