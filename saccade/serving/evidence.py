"""What a classifier has to say about a batch: logits, and vectors that tell how familiar it is."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from saccade.data.batch import Batch
from saccade.errors import UsageError
from saccade.heads.classify import pooled
from saccade.run.device import autocast
from saccade.serving.engine import Engine
from saccade.serving.known import Score
from saccade.serving.views import PLAIN, look
from saccade.tasks.classify import Classify
from saccade.tasks.video import Video

ClassEngine = Engine[Classify] | Engine[Video]
"""A trained task whose answer is one class."""


class Evidence(NamedTuple):
    """What is known of each picture, or clip, of a batch; on the CPU, in fp32.

    Attributes:
        logits: the mean over the engine's views, before its temperature.
        plain_logits: of the picture as it is: what the scores of familiarity are taken from, so
            that limits hold for any number of views.
        parts: what a picture is known by: ``statistics`` (what it is like, whatever it shows), and
            what the head reads.
    """

    logits: Float32[Tensor, "B K"]
    plain_logits: Float32[Tensor, "B K"]
    parts: tuple[Float32[Tensor, "B _"], ...]


def class_logits(engine: ClassEngine, batch: Batch) -> Float32[Tensor, "B K"]:
    """The mean of the logits over the engine's views, on the CPU.

    Raises:
        UsageError: the weights have no head.
    """
    _require_head(engine)
    images = batch.images.to(engine.device)
    with torch.inference_mode(), autocast(engine.device, engine.precision):
        return _mean(engine.task(look(images, view)).logits.float() for view in engine.views).cpu()


def evidence(engine: ClassEngine, batch: Batch) -> Evidence:
    """The logits with what tells how familiar a picture is, in the same pass through the model.

    Raises:
        UsageError: the weights have no head.
    """
    _require_head(engine)
    task, images = engine.task, batch.images.to(engine.device)
    with torch.inference_mode(), autocast(engine.device, engine.precision):
        tokens = task.tokens(images)
        plain = task.head(tokens).logits.float()
        others = [task(look(images, view)).logits.float() for view in engine.views if view != PLAIN]
        parts = (
            statistics(task.normalise(images).float()),
            task.head.norm(pooled(tokens, task.head.pool)).float(),
        )
    return Evidence(_mean([plain, *others]).cpu(), plain.cpu(), tuple(part.cpu() for part in parts))


def statistics(
    images: Float[Tensor, "B C H W"] | Float[Tensor, "B T C H W"],
) -> Float[Tensor, "B C6"]:
    """Mean and spread of each channel, and of the steps from pixel to pixel, across and down.

    Six numbers a channel, which tell a drawing or another camera from a photograph, and of which a
    network that was taught to name things keeps little.

    Args:
        images: as numbers around 0; of a clip, over all its frames.
    """
    if images.ndim == 5:
        images = images.transpose(1, 2)  # B C T H W
    across = (images[..., 1:] - images[..., :-1]).abs()
    down = (images[..., 1:, :] - images[..., :-1, :]).abs()
    found = []
    for numbers in (images, across, down):
        if 0 in numbers.shape:  # one pixel has no neighbour
            numbers = torch.zeros_like(images)
        flat = numbers.flatten(2)
        found += [flat.mean(dim=2), flat.std(dim=2, correction=0)]
    return torch.cat(found, dim=1)


def familiarity(engine: ClassEngine, found: Evidence) -> dict[Score, Float32[Tensor, " B"]]:
    """How familiar each picture is, by each score that the engine can tell; see ``Score``."""
    plain = found.plain_logits
    scores: dict[Score, Tensor] = {
        "energy": plain.logsumexp(dim=1),
        "probability": (plain / engine.temperature).softmax(dim=1).amax(dim=1),
    }
    if engine.known is None:
        return scores
    return {"knn": engine.known.familiarity(found.parts), **scores}


def _require_head(engine: ClassEngine) -> None:
    if not engine.class_names:
        raise UsageError(
            "these weights have no head, so they name no class: `saccade train SOURCE --init` "
            "fits one to your classes; from Python, Model.embed and Model.features need none"
        )


def _mean(logits: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(logits)).mean(dim=0)
