"""What probes read: the vectors and tokens of a frozen model, and the pixels they came from."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.samples import Samples
from saccade.run.device import autocast
from saccade.serving.engine import Engine
from saccade.serving.features import embedding
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.translate import Translate

MOST_TOKEN_BYTES = 2**30
"""Tokens kept for the attentive probe; with larger pictures it learns from fewer of them."""

PIXEL_SIDE = 16
"""Pixels a side that pictures are scaled to for the baseline that has no model."""

_TOKEN_BYTES = 2  # half precision


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeFeatures:
    """Labelled pictures as a frozen model sees them.

    Attributes:
        vectors: one for each picture, at unit length.
        tokens: the patches of the first ``num_with_tokens`` pictures, in half precision.
        labels: class ids.
        ids: the pictures' numbers in their source.
    """

    vectors: Float[Tensor, "n D"]
    tokens: Float[Tensor, "m N D2"]
    labels: Int64[Tensor, " n"]
    ids: Int64[Tensor, " n"]

    @property
    def num_with_tokens(self) -> int:
        """How many pictures have tokens: all, unless they would not fit in memory."""
        return len(self.tokens)


def read_features(engine: Engine, samples: Samples, *, has_tokens: bool) -> ProbeFeatures:
    """Asks a model about labelled pictures, in a mixed but fixed order.

    Args:
        engine: a model of any job.
        samples: labelled.
        has_tokens: whether tokens are wanted too; that takes a second pass through the model.
    """
    loader = _mixed(engine, samples)
    vectors, tokens, labels, ids = [], [], [], []
    room = MOST_TOKEN_BYTES if has_tokens else 0
    for batch in loader.batches():
        labels.append(batch.labels)
        ids.append(batch.ids)
        batch = batch.to(engine.device)
        with torch.inference_mode(), autocast(engine.device, engine.precision):
            vectors.append(embedding(engine.task, batch).cpu())
            if room > 0:
                tokens.append(_tokens(engine, batch).to(torch.float16).cpu())
                room -= tokens[-1].numel() * _TOKEN_BYTES
    # Copies, since tensors made in inference mode can take no part in what has gradients.
    return ProbeFeatures(
        vectors=torch.cat(vectors).clone(),
        tokens=torch.cat(tokens).clone() if tokens else torch.empty(0, 1, 1),
        labels=torch.cat(labels),
        ids=torch.cat(ids),
    )


def read_pixels(engine: Engine, samples: Samples) -> ProbeFeatures:
    """The same pictures without a model: their pixels at ``PIXEL_SIDE``, of the middle frame."""
    loader = _mixed(engine, samples)
    vectors, labels, ids = [], [], []
    for batch in loader.batches():
        images = batch.images
        if images.ndim == 5:
            images = images[:, images.shape[1] // 2]
        small = F.interpolate(images.float(), size=(PIXEL_SIDE, PIXEL_SIDE), mode="area")
        vectors.append(small.flatten(1) / 255 - 0.5)
        labels.append(batch.labels)
        ids.append(batch.ids)
    return ProbeFeatures(
        vectors=torch.cat(vectors),
        tokens=torch.empty(0, 1, 1),
        labels=torch.cat(labels),
        ids=torch.cat(ids),
    )


def _mixed(engine: Engine, samples: Samples) -> Loader:
    """In an order in which classes do not come one after the other."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(samples), generator=generator)
    return engine.loader(samples.take(order.numpy()))


def _tokens(engine: Engine, batch: Batch) -> Float[Tensor, "B N D"]:
    task = engine.task
    # What makes pictures reads noise; what looks at them is the observer that learns beside it.
    if isinstance(task, Generate | Translate):
        return task.observer.tokens(batch.images).patches
    return task.backbone(task.normalise(batch.images), None).patches
