"""A trained segmenter: pictures in, masks in the pictures' own pixels out."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int32, Int64
from torch import Tensor

from saccade.attribution.methods import Method, default_methods, heat
from saccade.data.annotations import IGNORED_CLASS, IGNORED_SEGMENT
from saccade.data.batch import Batch
from saccade.data.placement import Placement, place
from saccade.data.regions import box_of
from saccade.data.samples import Samples
from saccade.data.sources import Paths, open_pictures
from saccade.errors import UsageError
from saccade.serving.engine import Engine
from saccade.serving.explanation import Answer, Explanation, class_asked, explain_batch
from saccade.serving.resample import in_picture, is_seen, likeliest_in_picture
from saccade.tasks.segment.classes import ClassMaps, Segment
from saccade.tasks.segment.masks import Masks
from saccade.tasks.segment.objects import SegmentMasks


class Region(NamedTuple):
    """A class, or an object, in one picture.

    Attributes:
        label: the name of the class.
        score: how sure the model is; of a class the mean probability over its pixels.
        number: that the pixels of this region have in the map.
        area: pixels.
        box_xyxy: left, top, right, bottom in pixels; right and bottom not included.
    """

    label: str
    score: float
    number: int
    area: int
    box_xyxy: tuple[float, float, float, float]


class Segmented(NamedTuple):
    """The answer for one picture.

    Attributes:
        path: as it was given.
        map: the class id of each pixel, or the number of its object, 0 for none; in the picture's
            own pixels. ``IGNORED_CLASS`` or ``IGNORED_SEGMENT`` where the model was shown nothing;
            None when the picture could not be read.
        regions: the classes that are there, or the objects, the surest first.
        error: why there is no answer; None when there is one.
    """

    path: str
    map: Int32[np.ndarray, "H W"] | None
    regions: tuple[Region, ...]
    error: str | None


class Segmenter:
    """Finds a class for each pixel, or the objects of a picture; ``saccade.load`` makes one.

    Args:
        engine: of a run of the job ``segment``.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def class_names(self) -> tuple[str, ...]:
        """What a pixel can be (``background`` among them), or what an object can be."""
        task = self.engine.task
        return task.pixel_names if isinstance(task, Segment) else task.class_names

    def predict(self, inputs: Paths, *, min_score: float | None = None) -> list[Segmented]:
        """Segments pictures, or folders of them; one answer per picture, in order.

        Args:
            inputs: pictures or folders.
            min_score: of a mask of an object that takes part; None: the score that was best on the
                validation pictures of the training.

        Raises:
            UsageError: a path does not exist, or classes of pixels are asked for a score.
        """
        made = self if min_score is None else Segmenter(self.engine.scoring_from(min_score))
        return list(made.stream(open_pictures(inputs)))

    def stream(self, samples: Samples) -> Iterator[Segmented]:
        """The same, one at a time and in constant memory; for as many pictures as there are."""

        def answers(batch: Batch) -> Iterator[Segmented]:
            answer = self.engine.answer(batch)
            for k, i in enumerate(batch.ids.tolist()):
                placement = self.placement(batch, k)
                yield self.read(answer, k, placement, name=samples.pictures.name(i))

        yield from self.engine.in_order(samples, answers, unreadable=_unreadable, keeps_sizes=True)

    def explain(
        self,
        inputs: Paths,
        *,
        methods: Sequence[Method] = (),
        label: str | None = None,
    ) -> Iterator[Explanation]:
        """What speaks for a class; pictures that cannot be read are left out.

        Args:
            inputs, methods: see ``Model.explain``, for what is raised too.
            label: the class to explain; None: that of the most pixels, or of the surest object.
        """
        yield from self.explain_samples(open_pictures(inputs), methods=methods, label=label)

    def explain_samples(
        self, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains pictures of a source; see ``explain``."""
        asked_class = class_asked(self.engine, label)
        if isinstance(self.engine.task, SegmentMasks):
            _require_legrad(methods)
        for batch in self.engine.loader(samples, keeps_sizes=True).batches():
            names = [samples.pictures.name(i) for i in batch.ids.tolist()]
            yield from self._explain_batch(batch, names, methods=methods, asked_class=asked_class)

    def _explain_batch(
        self,
        batch: Batch,
        names: Sequence[str],
        *,
        methods: Sequence[Method],
        asked_class: int | None,
    ) -> Iterator[Explanation]:
        engine, task = self.engine, self.engine.task
        answer = engine.answer(batch)
        answers = [
            _in_short(self.read(answer, k, self.placement(batch, k), name=name), engine)
            for k, name in enumerate(names)
        ]
        asked = torch.tensor(
            [
                engine.class_names.index(each.label) if each.label is not None else 0
                for each in answers
            ]
        )
        if asked_class is not None:
            asked = torch.full_like(asked, asked_class)
        if isinstance(task, SegmentMasks):
            yield from _explain_objects(engine, task, batch, names, asked, answers)
        else:
            methods = methods or default_methods(task, has_places=True)
            yield from explain_batch(
                engine, batch, names, methods=methods, asked=asked, answers=answers
            )

    def placement(self, batch: Batch, k: int) -> Placement:
        """Where picture ``k`` of a batch lies in the input."""
        assert batch.sizes is not None
        height, width = batch.sizes[k].tolist()
        return place(height, width, self.engine.preprocess)

    def read(
        self, answer: ClassMaps | Masks, k: int, placement: Placement, *, name: str
    ) -> Segmented:
        """What the task said about picture ``k`` of a batch, in that picture's pixels."""
        with torch.inference_mode():
            if isinstance(answer, ClassMaps):
                return self._classes(answer, k, placement, name)
            return self._objects(answer, k, placement, name)

    def _classes(self, answer: ClassMaps, k: int, placement: Placement, name: str) -> Segmented:
        classes, probs = likeliest_in_picture(answer.probs[k], placement)
        seen = is_seen(placement, classes.device)
        numbers = classes.where(seen, IGNORED_CLASS).to(torch.int32).cpu().numpy()
        flat, weights = classes[seen], probs[seen].double()
        count = len(self.class_names)
        areas = torch.bincount(flat, minlength=count).tolist()
        sums = torch.bincount(flat, weights=weights, minlength=count).tolist()
        regions = [
            Region(
                label=self.class_names[number],
                score=sums[number] / areas[number],
                number=number,
                area=areas[number],
                box_xyxy=_box(numbers == number),
            )
            for number in range(count)
            if areas[number]
        ]
        return Segmented(name, numbers, tuple(regions), None)

    def _objects(self, answer: Masks, k: int, placement: Placement, name: str) -> Segmented:
        task = self.engine.task
        assert isinstance(task, SegmentMasks)
        smallest = self.engine.smallest_score
        sure = int((answer.scores[k] >= smallest).sum())
        probs = mask_probs(answer, k, placement, count=sure)
        merged = task.merge(probs, answer, k, smallest_score=smallest)
        seen = is_seen(placement, probs.device)
        numbers = merged.segments.where(seen, IGNORED_SEGMENT).cpu().numpy()
        regions = []
        for number, (label, score) in enumerate(
            zip(merged.labels.tolist(), merged.scores.tolist(), strict=True), start=1
        ):
            mask = numbers == number
            regions.append(
                Region(task.class_names[label], score, number, int(mask.sum()), _box(mask))
            )
        return Segmented(name, numbers, tuple(regions), None)


def mask_probs(answer: Masks, k: int, placement: Placement, *, count: int) -> Tensor:
    """How likely each pixel of a picture belongs to each of the ``count`` surest masks."""
    logits = answer.mask_logits[k, :count]
    return in_picture(logits, placement, cell_size=answer.cell_size).sigmoid()


def _box(mask: np.ndarray) -> tuple[float, float, float, float]:
    left, top, right, bottom = box_of(mask).tolist()
    return left, top, right, bottom


def _unreadable(name: str, reason: str) -> Segmented:
    return Segmented(name, None, (), reason)


def _require_legrad(methods: Sequence[Method]) -> None:
    """It is the one method that can start from queries."""
    others = [method for method in methods if method != "legrad"]
    if others:
        raise UsageError(
            f"{others[0]} reads patches or a class token, and eomt answers from queries; use "
            "--method legrad"
        )


def _explain_objects(
    engine: Engine,
    task: SegmentMasks,
    batch: Batch,
    names: Sequence[str],
    asked: Int64[Tensor, " B"],
    answers: Sequence[Answer],
) -> Iterator[Explanation]:
    images, classes = batch.images.to(engine.device), asked.to(engine.device)
    heats = heat(task.explained(), images, classes, method="legrad").cpu().numpy()
    for k, name in enumerate(names):
        yield Explanation(
            path=name,
            image=batch.images[k].numpy(),
            asked=engine.class_names[int(asked[k])],
            answer=answers[k],
            heats={"legrad": heats[k]},
        )


def _in_short(found: Segmented, engine: Engine) -> Answer:
    """The class of the source with the most pixels, or the surest object."""
    named = [region for region in found.regions if region.label in engine.class_names]
    if not named:
        return Answer(None, None)
    if isinstance(engine.task, Segment):
        named.sort(key=lambda region: (region.label.lower() == "background", -region.area))
    return Answer(named[0].label, named[0].score)
