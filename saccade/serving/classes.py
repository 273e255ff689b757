"""One class for each input, of pictures and of clips alike: answers, and where they come from."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32

from saccade.attribution.methods import Method
from saccade.data.batch import Batch
from saccade.data.samples import Samples
from saccade.serving.evidence import ClassEngine, class_logits, evidence, familiarity
from saccade.serving.explanation import Answer, Explanation, class_asked, explain_batch


class Prediction(NamedTuple):
    """The answer for one picture or clip.

    Attributes:
        path: as it was given.
        label: the most likely class; None when the input could not be read.
        probability: of that class.
        probs: of all K classes, in the order of the model's ``class_names``.
        error: why there is no answer; None when there is one.
        refused: why the answer is not to be relied on, where refusing was asked for; None: it is.
    """

    path: str
    label: str | None
    probability: float | None
    probs: Float32[np.ndarray, " K"] | None
    error: str | None
    refused: str | None = None


def class_probs(engine: ClassEngine, batch: Batch) -> Float32[np.ndarray, "B K"]:
    """Class probabilities of a batch, at the engine's temperature.

    Raises:
        UsageError: the weights have no head.
    """
    return (class_logits(engine, batch) / engine.temperature).softmax(dim=1).numpy()


def stream_classes(engine: ClassEngine, samples: Samples) -> Iterator[Prediction]:
    """One answer per sample, in order and in constant memory."""

    def answers(batch: Batch) -> Iterator[Prediction]:
        found, refused = _answers(engine, batch)
        for i, probs, why in zip(batch.ids.tolist(), found, refused, strict=True):
            best = int(probs.argmax())
            yield Prediction(
                path=samples.pictures.name(i),
                label=engine.class_names[best],
                probability=float(probs[best]),
                probs=probs,
                error=None,
                refused=why,
            )

    yield from engine.in_order(samples, answers, unreadable=_unreadable)


def _answers(
    engine: ClassEngine, batch: Batch
) -> tuple[Float32[np.ndarray, "B K"], list[str | None]]:
    """Probabilities, and for each picture why it is refused."""
    if engine.refusal is None:
        return class_probs(engine, batch), [None] * len(batch.images)
    found = evidence(engine, batch)
    scores = familiarity(engine, found)[engine.refusal.by]
    probs = (found.logits / engine.temperature).softmax(dim=1).numpy()
    return probs, [engine.refusal.reason(score) for score in scores.tolist()]


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
