"""What a model makes of pictures before it decides: embeddings, and features of any layer."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32
from torch import Tensor

from saccade.backbones.features import Norm, layer_tokens
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.heads.classify import pooled
from saccade.run.device import Precision, autocast
from saccade.tasks.classify import Classify


class Embeddings(NamedTuple):
    """One vector for each picture.

    Attributes:
        paths: the pictures, in the order in which they were given.
        vectors: their embeddings, row by row, each of unit length: a product is a cosine.
        bad: pictures that could not be read and have no row, and why.
    """

    paths: tuple[str, ...]
    vectors: Float32[np.ndarray, "n D"]
    bad: dict[str, str]


class Features(NamedTuple):
    """What some layers made of one picture.

    Attributes:
        path: as it was given.
        maps: by layer as it was asked for, a vector for each cell of the patch grid.
        prefix: by layer, the class and register tokens (R = 0 where a model has none).
    """

    path: str
    maps: dict[int, Float32[np.ndarray, "D h w"]]
    prefix: dict[int, Float32[np.ndarray, "R D"]]


def embed(
    task: Classify, loader: Loader, *, device: torch.device, precision: Precision
) -> Embeddings:
    """Embeds all pictures of a loader; see ``Model.embed``."""
    names, vectors = [], []
    for batch in loader.batches():
        names += [loader.samples.pictures.name(i) for i in batch.ids.tolist()]
        with torch.inference_mode(), autocast(device, precision):
            vectors.append(embedding(task, batch.to(device)).cpu().numpy())
    if not vectors:
        width = task.head.classify.in_features
        return Embeddings((), np.empty((0, width), np.float32), dict(loader.bad))
    return Embeddings(tuple(names), np.concatenate(vectors), dict(loader.bad))


def embedding(task: Classify, batch: Batch) -> Float[Tensor, "B D"]:
    """What the head reads of each picture before it tells classes apart, at unit length, in fp32.

    The last map of the head aside, nothing in it belongs to the classes of the training, so it can
    compare pictures of others too.
    """
    head = task.head
    return F.normalize(head.norm(pooled(task.tokens(batch.images), head.pool)).float(), dim=1)


def features(
    task: Classify,
    loader: Loader,
    *,
    layers: Sequence[int],
    norm: Norm,
    device: torch.device,
    precision: Precision,
) -> Iterator[Features]:
    """The layers of each picture in turn; see ``Model.features``."""
    for batch in loader.batches():
        with torch.inference_mode(), autocast(device, precision):
            images = task.normalise(batch.images.to(device))
            found = layer_tokens(task.backbone, images, layers, norm=norm)
        maps = {layer: _plain(each.as_map()) for layer, each in zip(layers, found, strict=True)}
        prefixes = {layer: _plain(each.prefix) for layer, each in zip(layers, found, strict=True)}
        for k, i in enumerate(batch.ids.tolist()):
            yield Features(
                path=loader.samples.pictures.name(i),
                maps={layer: each[k] for layer, each in maps.items()},
                prefix={layer: each[k] for layer, each in prefixes.items()},
            )


def _plain(tensor: Tensor) -> Float32[np.ndarray, "..."]:
    return np.ascontiguousarray(tensor.float().cpu().numpy())
