"""Where a model looked in one picture, and how such answers are made."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float32, Int64, UInt8
from numpy import ndarray

from saccade.attribution.methods import Method, default_methods, heat
from saccade.data.batch import Batch
from saccade.errors import UsageError, nearest
from saccade.serving.engine import Engine


class Answer(NamedTuple):
    """What a model said about a picture, in short.

    Attributes:
        label: the name of a class; None where the answer is none.
        probability: of that class, or the score of that answer; None where there is none.
    """

    label: str | None
    probability: float | None


class Explanation(NamedTuple):
    """Where a model looked in one picture.

    Attributes:
        path: as it was given.
        image: what the model saw, after the preprocessing: a picture, or a clip.
        asked: what was explained, usually a class.
        answer: what the model said.
        heats: by method, 0 to 1 on the patch grid.
    """

    path: str
    image: UInt8[ndarray, "C H W"] | UInt8[ndarray, "T C H W"]
    asked: str
    answer: Answer
    heats: dict[Method, Float32[ndarray, "h w"] | Float32[ndarray, "t h w"]]


def explain_batch(
    engine: Engine,
    batch: Batch,
    names: Sequence[str],
    *,
    methods: Sequence[Method],
    asked: Int64[torch.Tensor, " B"],
    answers: Sequence[Answer],
) -> Iterator[Explanation]:
    """Explains one batch. In fp32: gradients of maps are small numbers.

    Args:
        engine: the model.
        batch: pictures of its size.
        names: of the pictures.
        methods: none given: those that suit the model.
        asked: the class to explain, for each picture.
        answers: what the model said, for each picture.
    """
    images = batch.images.to(engine.device)
    heats = {
        method: heat(engine.task, images, asked.to(engine.device), method=method).cpu().numpy()
        for method in methods or default_methods(engine.task)
    }
    for k, name in enumerate(names):
        yield Explanation(
            path=name,
            image=batch.images[k].numpy(),
            asked=engine.class_names[int(asked[k])],
            answer=answers[k],
            heats={method: found[k] for method, found in heats.items()},
        )


def class_asked(engine: Engine, label: str | None) -> int | None:
    """The class id that a user asked for; None when nothing was asked.

    Raises:
        UsageError: the model knows no such class; the nearest is offered.
    """
    if label is None:
        return None
    if label not in engine.class_names:
        raise UsageError(
            f"the model knows no class {label!r}; {nearest(label, engine.class_names)}"
        )
    return engine.class_names.index(label)
