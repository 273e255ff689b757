"""Searching by the name of a class: which direction its pictures lie in."""

from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float32

from saccade.heads.classify import ClassHead
from saccade.heads.embed import EmbedHead
from saccade.serving.engine import Engine
from saccade.serving.search.whiten import Whitening


class ClassVectors(NamedTuple):
    """A direction for each class that can be searched by.

    Attributes:
        names: of the classes.
        vectors: of unit length, in the whitened space.
        source: ``head``: what the model learned; ``labels``: the mean of the gallery's pictures of
            each class; None: there are no classes.
    """

    names: tuple[str, ...]
    vectors: Float32[np.ndarray, "K d"]
    source: Literal["head", "labels"] | None


def class_vectors(
    engine: Engine,
    whitening: Whitening,
    rows: Float32[np.ndarray, "n d"],
    items: pa.Table,
    *,
    pool: str = "auto",
) -> ClassVectors:
    """What the model's head knows of its classes, or else what the gallery's labels say.

    The head is preferred: it has seen more pictures of a class than the gallery may hold, it can
    find classes in a gallery without labels, and it knows what tells a class from the others, not
    only where its middle lies.

    Args:
        engine: the model.
        whitening: of the index.
        rows: the whitened gallery.
        items: of the gallery, row by row.
        pool: how tokens became vectors; a head reads its own only.
    """
    weights = _head_weights(engine) if pool == "auto" else None
    if weights is not None:
        return ClassVectors(engine.class_names, whitening.direction(weights), "head")
    labels = np.array(items["label"].to_pylist(), dtype=object)
    names = tuple(dict.fromkeys(label for label in labels if label is not None))
    if not names:
        return ClassVectors((), np.empty((0, rows.shape[1]), np.float32), None)
    means = np.stack([rows[np.flatnonzero(labels == name)].mean(axis=0) for name in names])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return ClassVectors(names, means / np.maximum(lengths, 1e-12), "labels")


def _head_weights(engine: Engine) -> Float32[np.ndarray, "K D"] | None:
    """By what the head multiplies a vector for each class; None where it knows no classes."""
    if not engine.class_names:
        return None
    head = engine.task.head
    match head:
        case ClassHead():
            weights = head.classify.weight
            # What all classes share says nothing about one of them.
            weights = weights - weights.mean(dim=0)
        case EmbedHead():
            weights = head.class_directions()
        case _:
            return None
    return weights.detach().to("cpu", torch.float32).numpy()
