"""One class for each input, of pictures and of clips alike: answers, and where they come from."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32

from saccade.attribution.methods import Method
from saccade.data.batch import Batch
from saccade.data.samples import Samples
from saccade.errors import UsageError
from saccade.serving.engine import Engine
from saccade.serving.explanation import Answer, Explanation, class_asked, explain_batch
from saccade.tasks.classify import Classify
from saccade.tasks.video import Video

ClassEngine = Engine[Classify] | Engine[Video]
"""A trained task whose answer is one class."""


class Prediction(NamedTuple):
    """The answer for one picture or clip.

    Attributes:
        path: as it was given.
        label: the most likely class; None when the input could not be read.
        probability: of that class.
        probs: of all K classes, in the order of the model's ``class_names``.
        error: why there is no answer; None when there is one.
    """

    path: str
    label: str | None
    probability: float | None
    probs: Float32[np.ndarray, " K"] | None
    error: str | None


def class_probs(engine: ClassEngine, batch: Batch) -> Float32[np.ndarray, "B K"]:
    """Class probabilities of a batch.

    Raises:
        UsageError: the weights have no head.
    """
    if not engine.class_names:
        raise UsageError(
            "these weights have no head, so they name no class: `saccade train SOURCE --init` "
            "fits one to your classes; from Python, Model.embed and Model.features need none"
        )
    return engine.answer(batch).cpu().numpy()


def stream_classes(engine: ClassEngine, samples: Samples) -> Iterator[Prediction]:
    """One answer per sample, in order and in constant memory."""

    def answers(batch: Batch) -> Iterator[Prediction]:
        for i, probs in zip(batch.ids.tolist(), class_probs(engine, batch), strict=True):
            best = int(probs.argmax())
            yield Prediction(
                path=samples.pictures.name(i),
                label=engine.class_names[best],
                probability=float(probs[best]),
                probs=probs,
                error=None,
            )

    yield from engine.in_order(samples, answers, unreadable=_unreadable)


def explain_classes(
    engine: ClassEngine,
    batch: Batch,
    names: Sequence[str],
    *,
    methods: Sequence[Method],
    label: str | None,
) -> Iterator[Explanation]:
    """Where the model looked for a class, the predicted one when none is asked for."""
    probs = torch.from_numpy(class_probs(engine, batch))
    best = probs.argmax(dim=1)
    wanted = class_asked(engine, label)
    yield from explain_batch(
        engine,
        batch,
        names,
        methods=methods,
        asked=best if wanted is None else torch.full_like(best, wanted),
        answers=[
            Answer(engine.class_names[k], float(row[k]))
            for k, row in zip(best.tolist(), probs, strict=True)
        ],
    )


def _unreadable(name: str, reason: str) -> Prediction:
    return Prediction(name, None, None, None, reason)
