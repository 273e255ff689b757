"""A student and its teacher on the same pictures, for the report."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.targets import ToldFeatures, ToldLogits
from saccade.metrics.intervals import Estimate, wilson
from saccade.metrics.representation import votes_of_the_others
from saccade.run.teacher import Teacher
from saccade.serving.engine import Engine
from saccade.tasks.classify import Classify
from saccade.tasks.pretrain.features import FeaturesMeasure, PretrainFeatures
from saccade.verbs.teach import Lessons


class _Asked(NamedTuple):
    """What one of the two answered: numbers for each picture, and pictures in a second."""

    answers: Tensor
    rate: float


def beside(engine: Engine, lessons: Lessons, loader: Loader, *, model_name: str) -> dict[str, Any]:
    """Asks both about the pictures of a loader, in turn.

    The teacher is shown what it was shown while it taught: the student's pictures in its own size.

    Args:
        engine: the student.
        lessons: the teacher.
        loader: pictures that nothing was learned from.
        model_name: of the student.

    Returns:
        A table for the report, and ``agreement``, the share of pictures for which both answer the
        same, or of vectors the mean cosine; None where their answers cannot be compared.
    """
    is_backbone = isinstance(engine.task, PretrainFeatures)
    told = _told(lessons, engine.class_names, is_backbone=is_backbone)
    ask = None if told is None else _asking(told)
    student, teacher, labels = _asked(loader, engine.answer, ask)
    figure = _neighbours if is_backbone else _right
    agreement = None
    if is_backbone:
        agreement = _cosine(engine, lessons, loader)
    elif teacher is not None:
        same = student.answers.argmax(dim=1) == teacher.answers.argmax(dim=1)
        agreement = same.float().mean().item()
    num_learned = sum(each.numel() for each in lessons.teacher.task.parameters())
    own = [(n, p) for n, p in engine.task.named_parameters() if n.startswith(("backbone", "head."))]
    num_own = sum(p.numel() for n, p in own if not (is_backbone and n.startswith("head")))
    rows = [
        _row("teacher", lessons.origin.architecture, teacher, labels, num_learned, figure),
        _row("student", model_name, student, labels, num_own, figure),
    ]
    return {
        "agreement": agreement,
        "title": "Teacher and student",
        "text": _words(agreement, lessons, is_backbone=is_backbone),
        "columns": [
            "",
            "model",
            "kNN top-1" if is_backbone else "top-1",
            "95 % from",
            "to",
            "parameters",
            "pictures/s",
        ],
        "rows": rows,
    }


def _told(lessons: Lessons, class_names: tuple[str, ...], *, is_backbone: bool) -> Teacher | None:
    """The teacher, to be asked what can be compared: a vector of the picture, or its class."""
    made, engine = lessons.teacher, lessons.engine
    if is_backbone:
        config = replace(made.config, of="picture")
        class_names = ()
    elif isinstance(engine.task, Classify) and set(class_names) <= set(engine.class_names):
        config = replace(made.config, method="logits")
    else:
        return None
    return Teacher(
        made.task,
        preprocess=made.preprocess,
        precision=engine.precision,
        device=engine.device,
        config=config,
        class_names=class_names,
    )


def _asking(teacher: Teacher) -> Callable[[Batch], Tensor]:
    def answer(batch: Batch) -> Tensor:
        match teacher.tell(batch).told:
            case ToldLogits(logits=logits):
                return logits
            case ToldFeatures(vectors=vectors):
                return vectors[:, 0, 0]
            case None:
                raise AssertionError

    return answer


def _asked(
    loader: Loader, student: Callable[[Batch], Tensor], teacher: Callable[[Batch], Tensor] | None
) -> tuple[_Asked, _Asked | None, Tensor | None]:
    """Both about one batch after the other, so that what else the machine does slows both."""
    asks = [ask for ask in (student, teacher) if ask is not None]
    answers: list[list[Tensor]] = [[] for _ in asks]
    seconds = [0.0 for _ in asks]
    labels, num_timed = [], 0
    for number, batch in enumerate(loader.batches()):
        if number == 0:
            for ask in asks:
                ask(batch)  # the first time takes longer
        num_timed += len(batch)
        for k, ask in enumerate(asks):
            start = time.perf_counter()
            answers[k].append(ask(batch).float().cpu())
            seconds[k] += time.perf_counter() - start
        if isinstance(batch.targets, Tensor):
            labels.append(batch.targets)
    found = [
        _Asked(torch.cat(some), num_timed / max(spent, 1e-9))
        for some, spent in zip(answers, seconds, strict=True)
    ]
    return found[0], found[1] if len(found) > 1 else None, torch.cat(labels) if labels else None


def _right(logits: Tensor, labels: Tensor) -> Estimate:
    return wilson(int((logits.argmax(dim=1) == labels).sum()), len(labels))


def _neighbours(vectors: Tensor, labels: Tensor) -> Estimate:
    votes = votes_of_the_others(vectors, labels, num_classes=int(labels.max()) + 1)
    return wilson(int((votes.argmax(dim=1) == labels).sum()), len(labels))


def _cosine(engine: Engine, lessons: Lessons, loader: Loader) -> float:
    """Between what the student sees, turned by its map, and what the teacher sees."""
    assert isinstance(engine.task, PretrainFeatures)
    measure = FeaturesMeasure(engine.task)
    for batch in loader.batches():
        with torch.inference_mode():
            measure.update(lessons.teacher.tell(batch.to(engine.device)))
    return 1 - measure.figures()["loss"]


def _row(
    who: str,
    model: str,
    asked: _Asked | None,
    labels: Tensor | None,
    num_parameters: int,
    figure: Callable[[Tensor, Tensor], Estimate],
) -> list[Any]:
    if asked is None:
        return [who, model, None, None, None, num_parameters, None]
    found: tuple[float | None, ...] = (None, None, None)
    if labels is not None:
        estimate = figure(asked.answers, labels)
        found = (estimate.value, estimate.low, estimate.high)
    return [who, model, *found, num_parameters, round(asked.rate)]


def _words(agreement: float | None, lessons: Lessons, *, is_backbone: bool) -> str:
    size, config = lessons.teacher.preprocess, lessons.teacher.config
    said = (
        "Both were shown the same held-out pictures, as while the one taught the other; the "
        f"teacher sees them at {size.width} x {size.height} pixels. "
    )
    if is_backbone:
        return f"{said}The cosine between what they see is {agreement:.3f} on average."
    if agreement is None:
        return f"{said}The teacher knows other classes, so their answers cannot be compared."
    said += f"They answer the same for {agreement:.1%} of them."
    if not config.has_labels:
        said += " There are no labels: right is what the teacher answers to the picture itself."
    return said
