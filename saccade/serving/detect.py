"""A detector, ready to answer in Python."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from saccade.attribution.methods import Method, default_methods
from saccade.data.batch import Batch
from saccade.data.placement import place
from saccade.data.samples import Samples
from saccade.data.sources import Paths, open_pictures
from saccade.serving.engine import Engine
from saccade.serving.explanation import Answer, Explanation, class_asked, explain_batch
from saccade.tasks.detect import Detect


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureObjects:
    """The objects found in one picture, the surest first.

    Attributes:
        path: as it was given.
        height, width: of the picture in pixels; None where it could not be read.
        boxes_xyxy: left, top, right, bottom of each in the picture's own pixels.
        labels: names of classes.
        scores: 0 to 1.
        error: why there is no answer; None where there is one.
    """

    path: str
    height: int | None
    width: int | None
    boxes_xyxy: Float32[np.ndarray, "m 4"]
    labels: list[str]
    scores: Float32[np.ndarray, " m"]
    error: str | None = None


class Detector:
    """A trained detector; ``saccade.load`` makes one.

    Args:
        engine: a detector with its weights.
    """

    def __init__(self, engine: Engine[Detect]) -> None:
        self.engine = engine

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes of objects that it finds."""
        return self.engine.class_names

    def predict(self, inputs: Paths, *, min_score: float | None = None) -> list[PictureObjects]:
        """Finds objects in pictures, or folders of them; one answer per picture, in order.

        Args:
            inputs: pictures or folders.
            min_score: what scores lower is left out; None: below the score that was best on the
                validation pictures of the training.

        Raises:
            UsageError: a path does not exist.
        """
        return list(self.stream(open_pictures(inputs), min_score=min_score))

    def stream(
        self, samples: Samples, *, min_score: float | None = None
    ) -> Iterator[PictureObjects]:
        """The same, one at a time and in constant memory."""
        smallest = self.engine.smallest_score if min_score is None else min_score

        def answers(batch: Batch) -> Iterator[PictureObjects]:
            for i, found in zip(batch.ids.tolist(), self.objects(batch), strict=True):
                yield self._answer(samples.pictures.name(i), found, min_score=smallest)

        yield from self.engine.in_order(samples, answers, unreadable=_unreadable, keeps_sizes=True)

    def explain(
        self,
        inputs: Paths,
        *,
        methods: Sequence[Method] = (),
        label: str | None = None,
    ) -> Iterator[Explanation]:
        """What spoke for the surest object of a class; pictures that cannot be read are left out.

        Args:
            inputs, methods: see ``Model.explain``, for what is raised too.
            label: the class to explain; None: the class of the surest object of all.
        """
        yield from self.explain_samples(open_pictures(inputs), methods=methods, label=label)

    def explain_samples(
        self, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains pictures of a source; see ``explain``."""
        asked_class = class_asked(self.engine, label)
        methods = methods or default_methods(self.engine.task, has_places=True)
        for batch in self.engine.loader(samples).batches():
            found = self.engine.answer(batch)
            best = found.labels[:, 0].cpu().clone()  # not of inference mode: gradients follow
            asked = best if asked_class is None else torch.full_like(best, asked_class)
            answers = [
                Answer(self.class_names[k], float(score))
                for k, score in zip(best.tolist(), found.scores[:, 0], strict=True)
            ]
            names = [samples.pictures.name(i) for i in batch.ids.tolist()]
            yield from explain_batch(
                self.engine, batch, names, methods=methods, asked=asked, answers=answers
            )

    def objects(self, batch: Batch) -> list["FoundObjects"]:
        """Every proposal for the pictures of a batch that says how large they were."""
        assert batch.sizes is not None
        answer = self.engine.answer(batch)
        found = []
        for b, (height, width) in enumerate(batch.sizes.tolist()):
            placement = place(height, width, self.engine.preprocess)
            boxes = placement.boxes_to_picture(answer.boxes_xyxy[b].double().cpu().numpy())
            # What lies in the bars of a padded input has no area in the picture.
            is_in_picture = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
            found.append(
                FoundObjects(
                    height=height,
                    width=width,
                    boxes_xyxy=boxes[is_in_picture],
                    labels=answer.labels[b].cpu().numpy()[is_in_picture],
                    scores=answer.scores[b].cpu().numpy()[is_in_picture],
                )
            )
        return found

    def _answer(self, path: str, found: "FoundObjects", *, min_score: float) -> PictureObjects:
        shown = found.scores >= min_score
        return PictureObjects(
            path=path,
            height=found.height,
            width=found.width,
            boxes_xyxy=found.boxes_xyxy[shown].astype(np.float32),
            labels=[self.class_names[k] for k in found.labels[shown].tolist()],
            scores=found.scores[shown],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundObjects:
    """The proposals for one picture, in its own pixels, the surest first.

    Attributes:
        height, width: of the picture.
        boxes_xyxy: left, top, right, bottom.
        labels: class ids.
        scores: 0 to 1.
    """

    height: int
    width: int
    boxes_xyxy: np.ndarray
    labels: np.ndarray
    scores: np.ndarray


def _unreadable(path: str, reason: str) -> PictureObjects:
    return PictureObjects(
        path=path,
        height=None,
        width=None,
        boxes_xyxy=np.zeros((0, 4), dtype=np.float32),
        labels=[],
        scores=np.zeros(0, dtype=np.float32),
        error=reason,
    )
