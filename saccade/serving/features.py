"""What a model makes of pictures before it decides: embeddings, and features of any layer."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32
from torch import Tensor

from saccade.backbones.features import Norm, layer_tokens
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.errors import UsageError
from saccade.heads.classify import ClassHead, pooled
from saccade.heads.embed import EmbedHead
from saccade.run.device import Precision, autocast
from saccade.tasks.build import AnyTask
from saccade.tasks.classify import Classify
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.translate import Translate
from saccade.tasks.pretrain.build import AnyPretrain
from saccade.tokens.tokens import Tokens

EmbeddingPool = Literal["auto", "class", "mean", "gem", "quarters"]
"""How tokens become a vector: as the job reads them, the class token, the patches' mean, a mean in
which large numbers count more (GeM), or the means of the picture's four quarters."""

GEM_POWER = 3.0
"""Of GeM (arXiv 1711.02512)."""


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
    task: AnyTask,
    loader: Loader,
    *,
    device: torch.device,
    precision: Precision,
    pool: EmbeddingPool = "auto",
) -> Embeddings:
    """Embeds all pictures of a loader; see ``embedding``."""
    names, vectors = [], []
    for batch in loader.batches():
        names += [loader.samples.pictures.name(i) for i in batch.ids.tolist()]
        with torch.inference_mode(), autocast(device, precision):
            vectors.append(embedding(task, batch.to(device), pool=pool).cpu().numpy())
    if not vectors:
        empty = np.empty((0, embedding_dim(task, pool=pool)), np.float32)
        return Embeddings((), empty, dict(loader.bad))
    return Embeddings(tuple(names), np.concatenate(vectors), dict(loader.bad))


def embedding(task: AnyTask, batch: Batch, *, pool: EmbeddingPool = "auto") -> Float[Tensor, "B D"]:
    """A vector for each picture, or clip, at unit length, in fp32.

    With ``auto`` it is what the job's own answer is read from: what a classification head reads
    before it tells classes apart, the vector of an embedding head, what a pretrained backbone was
    taught to say about a whole picture. A job without such a thing (boxes, masks) gives its class
    token, or else the mean of its patches; one that makes pictures, what its observer sees.

    Raises:
        UsageError: the model has no such token, or no tokens of whole pictures.
    """
    return F.normalize(_read(task, batch, pool).float(), dim=1)


def embedding_dim(task: AnyTask, *, pool: EmbeddingPool) -> int:
    """How many numbers such a vector has."""
    if isinstance(task, Generate | Translate):
        return task.observer.backbone.embed_dim
    if pool != "auto":
        return (4 if pool == "quarters" else 1) * task.backbone.embed_dim
    match task.head:
        case EmbedHead():
            return task.head.project.out_features
        case ClassHead():
            return task.head.classify.in_features
        case _:
            is_double = isinstance(task, AnyPretrain) and task.reads == "class_and_mean"
            return (2 if is_double else 1) * task.backbone.embed_dim


def _read(task: AnyTask, batch: Batch, pool: EmbeddingPool) -> Float[Tensor, "B D"]:
    if isinstance(task, Generate | Translate):
        if pool != "auto":
            raise UsageError(
                f"the pool is {pool!r}, and a model that makes pictures has no tokens of a whole "
                "picture; leave it out to take what its observer sees"
            )
        return task.observer.features(batch.images)
    tokens = task.backbone(task.normalise(batch.images), None)
    if pool != "auto":
        return _pool(tokens, pool)
    match task.head:
        case EmbedHead():
            return task.head(tokens).vectors
        case ClassHead():
            return task.head.norm(pooled(tokens, task.head.pool))
        case _:
            if isinstance(task, AnyPretrain):
                return pooled(tokens, task.reads)
            return _pool(tokens, "class" if tokens.num_prefix else "mean")


def _pool(tokens: Tokens, pool: EmbeddingPool) -> Float[Tensor, "B D"]:
    match pool:
        case "class":
            if tokens.num_prefix == 0:
                raise UsageError(
                    "the pool is 'class', and this model has no class token; take 'mean' or 'gem'"
                )
            return tokens.prefix[:, 0]
        case "gem":
            return signed_gem(tokens.patches)
        case "quarters":
            return quarters(tokens)
        case _:
            return tokens.patches.mean(dim=1)


def signed_gem(patches: Float[Tensor, "B n D"]) -> Float[Tensor, "B D"]:
    """The generalised mean of the patches with p = 3: the stronger a patch, the more it counts.

    The formula is made for numbers that are not negative. Tokens leave a norm and have both signs;
    with an odd power each counts towards its own side: the cube root of the mean of the cubes.
    """
    mean = patches.float().pow(GEM_POWER).mean(dim=1)
    return mean.sign() * mean.abs().pow(1 / GEM_POWER)


def quarters(tokens: Tokens) -> Float[Tensor, "B D4"]:
    """The mean of each quarter of the picture, one behind the other; of a clip, over all frames.

    One mean says what is in a picture; four say where, by which a copy is told from a picture of
    the same kind. Of an odd number of rows or columns the middle one counts in both halves. The
    plain version, for an even grid::

        halves = lambda x, dim: x.chunk(2, dim=dim)
        found = [part.mean(dim=(2, 3)) for rows in halves(map, 2) for part in halves(rows, 3)]
        quarters = torch.stack(found, dim=2).flatten(1)
    """
    grid = tokens.grid
    cells = tokens.patches.float().unflatten(1, tuple(grid)).mean(dim=1)  # B h w D
    return F.adaptive_avg_pool2d(cells.permute(0, 3, 1, 2), 2).flatten(1)


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
