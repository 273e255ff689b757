"""A trained task of any job, placed on a device and ready to be asked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import torch

from saccade.attribution.methods import pictures_at_a_time
from saccade.config.run import Preprocess
from saccade.config.task import JobName
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.samples import Samples
from saccade.errors import UsageError
from saccade.metrics.average_precision import SHOWN
from saccade.run.device import Precision, autocast
from saccade.serving.known import Known, Refusal
from saccade.serving.views import PLAIN, View, choose_views
from saccade.tasks.build import AnyTask
from saccade.tasks.classify import Classify
from saccade.tasks.detect import Detect
from saccade.tasks.segment.objects import SegmentMasks
from saccade.tasks.video import Video

BATCH_SIZE = 32
"""Pictures answered at a time, fewer where they are large; more are no faster on a CPU."""

LOWEST_LISTED = 0.05
"""Detections of a lower score are not written into tables; those that are can be filtered."""

Answer = TypeVar("Answer")
SomeTask = TypeVar("SomeTask", bound=AnyTask)


@dataclass(frozen=True, kw_only=True)
class Engine(Generic[SomeTask]):
    """What answers for any job have in common; ``saccade.serving.load`` makes one.

    Attributes:
        task: with its weights, on its device, in evaluation mode.
        job: that it was trained for.
        preprocess: how its pictures are prepared.
        precision: to compute in.
        num_threads: that decode pictures.
        device: where to run.
        smallest_score: from which a detection or a mask is shown.
        lowest_listed: score from which a detection is written into a table.
        temperature: divisor of the logits of classes, by which their probabilities keep their word.
        views: how a classifier looks at each picture; the logits are averaged.
        has_mirror: whether a mirror image is one of them.
        known: what a classifier knows its pictures by; None where the run does not say.
        refusal: from where on a classifier refuses to answer; None: it always answers.
        notes: what a user should hear about the weights.
        training: the pictures that it learned from, for figures that need them beside others; None
            where they are not at hand.
    """

    task: SomeTask
    job: JobName
    preprocess: Preprocess
    precision: Precision
    num_threads: int
    device: torch.device
    smallest_score: float = SHOWN
    lowest_listed: float = LOWEST_LISTED
    temperature: float = 1.0
    views: tuple[View, ...] = (PLAIN,)
    has_mirror: bool = False
    known: Known | None = None
    refusal: Refusal | None = None
    notes: tuple[str, ...] = ()
    training: Loader | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes, in the order of the logits; none where the job has none."""
        return self.task.class_names

    @property
    def has_scores(self) -> bool:
        """Whether what it finds has scores to choose by: boxes, and masks of objects."""
        return isinstance(self.task, Detect | SegmentMasks)

    @property
    def names_classes(self) -> bool:
        """Whether it answers with one class, and how sure it is."""
        return isinstance(self.task, Classify | Video)

    def seeing(self, num_views: int) -> "Engine[SomeTask]":
        """The same model, which looks at each picture so many times.

        Raises:
            UsageError: there are not so many views, or its answer is not a class.
        """
        self._require_classes(f"--views is {num_views}", "are averaged over views")
        return replace(self, views=choose_views(num_views, has_mirror=self.has_mirror))

    def refusing(self, share: float, *, by: str = "knn") -> "Engine[SomeTask]":
        """The same model, which refuses what it knows little of; see ``Known.refusal``.

        Raises:
            UsageError: the share or the score is none, the run does not say what it knows its
                pictures by, or its answer is not a class.
        """
        self._require_classes(f"--reject is {share:g}", "are refused")
        if self.known is None:
            raise UsageError(
                f"--reject is {share:g}, and this model has no record of held-out pictures to set "
                "a limit by (known.safetensors). Weights of other libraries and converted ones "
                "have none, nor have runs with fewer than 50 validation pictures; for a run of an "
                "older version `saccade train SOURCE --out RUN --resume` makes it, without training"
            )
        return replace(self, refusal=self.known.refusal(share, by=by))

    def _require_classes(self, given: str, what: str) -> None:
        if not self.names_classes:
            raise UsageError(
                f"{given}, and the answers of this model are not classes (it was trained to "
                f"{self.job}); those of classify and video {what}"
            )

    def scoring_from(self, min_score: float) -> "Engine[SomeTask]":
        """The same model, whose tables and drawings begin at a score that a user chose.

        Raises:
            UsageError: it is no score, or the answers of this job have none.
        """
        if not self.has_scores:
            raise UsageError(
                f"--min-score is {min_score:g}, and the answers of this model have no scores to "
                f"choose by (it was trained to {self.job}); boxes and masks of objects have"
            )
        if not 0 <= min_score <= 1:
            raise UsageError(f"--min-score is {min_score:g}; expected a number from 0 to 1")
        return replace(self, smallest_score=min_score, lowest_listed=min_score)

    def answer(self, batch: Batch) -> Any:
        """What the task predicts for a batch, in the input's pixels."""
        with torch.inference_mode(), autocast(self.device, self.precision):
            return self.task.predict(batch.to(self.device))

    def loader(self, samples: Samples, *, keeps_sizes: bool = False) -> Loader:
        """Pictures of this model's size, in order; those that cannot be read are left out.

        Args:
            samples: which pictures.
            keeps_sizes: whether batches say how large each picture was.
        """
        size = self.preprocess
        fitting = pictures_at_a_time(self.task, height=size.height, width=size.width)
        loader = Loader(
            samples,
            size,
            batch_size=max(1, min(BATCH_SIZE, fitting) // size.num_frames),
            num_threads=self.num_threads,
            cache_bytes=0,
            max_bad_fraction=1.0,
            keeps_sizes=keeps_sizes,
        )
        loader.prepare()
        return loader

    def in_order(
        self,
        samples: Samples,
        answers: Callable[[Batch], Iterable[Answer]],
        *,
        unreadable: Callable[[str, str], Answer],
        keeps_sizes: bool = False,
    ) -> Iterator[Answer]:
        """One answer for each picture, in their order and in constant memory.

        Args:
            samples: which pictures.
            answers: what to say about those of a batch, one after the other.
            unreadable: what to say about one that cannot be read, from its name and the reason.
            keeps_sizes: whether batches say how large each picture was.
        """
        loader = self.loader(samples, keeps_sizes=keeps_sizes)
        waiting = iter(samples.ids.tolist())

        def skipped(until: int | None) -> Iterator[Answer]:
            for i in waiting:
                if i == until:
                    return
                name = samples.pictures.name(i)
                yield unreadable(name, loader.bad.get(name, "could not be read"))

        for batch in loader.batches():
            for i, answer in zip(batch.ids.tolist(), answers(batch), strict=True):
                yield from skipped(i)
                yield answer
        yield from skipped(None)
