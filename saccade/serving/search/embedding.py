"""Pictures of a source into a folder of vectors, part by part."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from saccade.data.fingerprint import fingerprint
from saccade.data.samples import Samples, Source
from saccade.run.device import autocast
from saccade.serving.engine import Engine
from saccade.serving.features import EmbeddingPool, embedding, embedding_dim
from saccade.serving.search.known import model_hash
from saccade.serving.search.vectors import PART_SIZE, Made, VectorFolder, VectorManifest


def embed_source(
    engine: Engine,
    source: Source,
    folder: VectorFolder,
    *,
    run: str,
    pool: EmbeddingPool,
    is_resumed: bool,
    progress: Callable[[int, int], None],
) -> VectorManifest:
    """Embeds every picture of a source; parts that are there already are not computed again.

    Row i of the vectors belongs to row i of the items. A picture that cannot be read has zeros,
    which are near nothing, and its item says why.

    Args:
        engine: the model.
        source: the pictures, of all splits one after the other.
        folder: where the vectors go.
        run: the model, as the user named it.
        pool: how tokens become a vector.
        is_resumed: whether to go on with what is in the folder.
        progress: called with (pictures done, pictures in all).

    Raises:
        UsageError: something is in the way, or it was begun with other pictures or weights.
    """
    n = sum(len(samples) for samples in source.splits.values())
    made = Made(
        model=model_hash(engine),
        run=run,
        pool=pool,
        source=source.path,
        fingerprint=fingerprint(source),
    )
    folder.begin(made, n=n, embed_dim=embedding_dim(engine.task, pool=pool), is_resumed=is_resumed)
    for number in folder.missing_parts(n):
        pieces = list(_pieces(source, number * PART_SIZE, (number + 1) * PART_SIZE))
        embedded = [_embed(engine, piece, source.class_names, pool) for piece in pieces]
        vectors = np.concatenate([found for found, _ in embedded])
        folder.write_part(number, vectors, [item for _, items in embedded for item in items])
        progress(min((number + 1) * PART_SIZE, n), n)
    return folder.finish()


def _pieces(source: Source, start: int, stop: int) -> Iterator[Samples]:
    """The samples from ``start`` to before ``stop``, counted through all splits."""
    for samples in source.splits.values():
        wanted = np.arange(max(start, 0), min(stop, len(samples)))
        if len(wanted):
            yield samples.take(wanted)
        start, stop = start - len(samples), stop - len(samples)


def _embed(
    engine: Engine, samples: Samples, class_names: tuple[str, ...] | None, pool: EmbeddingPool
) -> tuple[Float32[np.ndarray, "n D"], list[dict[str, Any]]]:
    """Vectors and items, a row for each sample."""
    loader = engine.loader(samples)
    names = samples.names()
    vectors = np.zeros((len(names), embedding_dim(engine.task, pool=pool)), np.float32)
    is_found = np.zeros(len(names), dtype=bool)
    position_of = {i: position for position, i in enumerate(samples.ids.tolist())}
    for batch in loader.batches():
        positions = [position_of[i] for i in batch.ids.tolist()]
        with torch.inference_mode(), autocast(engine.device, engine.precision):
            found = embedding(engine.task, batch.to(engine.device), pool=pool)
        vectors[positions] = found.cpu().numpy()
        is_found[positions] = True
    items = []
    for position, name in enumerate(names):
        label = None
        if samples.labels is not None and class_names is not None:
            label = class_names[samples.labels[position]]
        error = None if is_found[position] else loader.bad.get(name, "could not be read")
        content = samples.pictures.content_hash(int(samples.ids[position]))
        items.append({"path": name, "label": label, "content": content, "error": error})
    return vectors, items
