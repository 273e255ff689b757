"""DINO: a student agrees with the running average of itself."""

import copy
import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.build import AnyBackbone
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.config.task import PretrainConfig
from saccade.data.augment.crops import Views, make_views
from saccade.data.batch import Batch
from saccade.heads.classify import pooled
from saccade.heads.projector import Prototypes
from saccade.losses.dino import sharpened, teacher_agreement
from saccade.metrics.representation import view_recall
from saccade.metrics.rows import Rows
from saccade.tasks.normalise import Normalise
from saccade.tasks.pretrain.representation import (
    MOST_JUDGED,
    Vectors,
    random_as_before,
    strength,
)
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace

CENTRE_DECAY = 0.9


class PretrainDino(nn.Module):
    """Self-distillation without labels (arXiv 2104.14294).

    The teacher is a part of the task, so that checkpoints hold it. Its loss cannot choose the best
    weights: it is least when student and teacher say one thing about every picture. Held-out views
    finding their own picture among all is what chooses.

    Args:
        backbone: pictures to tokens; the student's, which is what is kept.
        head: vectors to cosines with prototypes.
        pool: how tokens become the vector of a picture.
        class_names: of the pictures, where they have any; nothing is learned from them.
        preprocess: gives mean and standard deviation of the pixels.
        config: views and numbers.
    """

    best_figure = "view_recall"
    best_is_low = False
    most_judged: int | None = MOST_JUDGED
    takes_parts = False

    def __init__(
        self,
        *,
        backbone: AnyBackbone,
        head: Prototypes,
        pool: Pool,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: PretrainConfig,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.teacher = nn.ModuleDict(
            {"backbone": copy.deepcopy(backbone), "head": copy.deepcopy(head)}
        ).requires_grad_(requires_grad=False)
        self.reads: Pool = pool
        self.class_names = class_names
        self.config = config
        self.scale = Normalise(preprocess)
        self.register_buffer("centre", torch.zeros(config.num_prototypes))
        self.register_buffer("num_lessons", torch.zeros((), dtype=torch.int64))

    def tokens(self, images: UInt8[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """What the backbone makes of pictures as bytes."""
        return self.backbone(self.normalise(images), trace)

    def normalise(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Bytes to the numbers that the backbone is given."""
        return self.scale(images)

    def score(
        self,
        tokens: Tokens,
        asked: Int64[Tensor, " B"],  # noqa: ARG002  as in Explained; there are no classes
    ) -> Float[Tensor, " B"]:
        """How strong the vector of each picture is."""
        return strength(tokens, self.reads)

    def vectors(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B D"]:
        """The vector of each picture, as long as it comes."""
        return pooled(self.tokens(images), self.reads)

    def student_says(self, views: Views) -> Float[Tensor, "V B K"]:
        """The student's cosines for each view, the global ones first, in fp32."""
        whole = self.vectors(views.whole.flatten(0, 1))
        if len(views.parts):
            whole = torch.cat([whole, self.vectors(views.parts.flatten(0, 1))])
        return self.head(whole).unflatten(0, (-1, views.whole.shape[1]))

    @torch.no_grad()
    def teacher_says(self, whole: UInt8[Tensor, "V B C H W"]) -> Float[Tensor, "V B K"]:
        """The teacher's cosines for the global views, in fp32; it drops no paths."""
        self.teacher.eval()  # task.train() means the student
        tokens = self.teacher["backbone"](self.normalise(whole.flatten(0, 1)))
        return self.teacher["head"](pooled(tokens, self.reads)).unflatten(0, whole.shape[:2])

    def loss(self, batch: Batch, *, progress: float) -> Mapping[str, Float[Tensor, ""]]:
        """The disagreement with the teacher, which learns first from what the student has become.

        ``teacher_entropy``, in nats, says whether the prototypes are in use: 0 when each picture
        has one for sure, log K when no picture prefers any.
        """
        is_first = self.training and self.num_lessons == 0
        if self.training:
            self._teach(progress)
        views = make_views(batch.images, self.config)
        taught = self.teacher_says(views.whole)
        if is_first:
            # Fresh models say nearly the same about every picture. Without a centre that would be
            # agreement already, and training would begin by undoing it.
            self.centre.copy_(taught.mean(dim=(0, 1)))
        student = self.student_says(views)
        with torch.autocast(student.device.type, enabled=False):
            teacher = sharpened(taught, self.centre, temperature=self.config.teacher_temperature)
            loss = teacher_agreement(student, teacher, temperature=self.config.student_temperature)
        if self.training:
            self.centre.lerp_(taught.mean(dim=(0, 1)), 1 - CENTRE_DECAY)
        entropy = torch.special.entr(teacher).sum(dim=2).mean()
        return {"loss": loss, "teacher_entropy": entropy}

    @torch.no_grad()
    def predict(self, batch: Batch) -> Float[Tensor, "B D"]:
        """The vector of each picture at unit length, in fp32."""
        return F.normalize(self.vectors(batch.images).float(), dim=1)

    def metrics(self) -> "DinoMeasure":
        """An empty collector."""
        return DinoMeasure(self)

    @torch.no_grad()
    def _teach(self, progress: float) -> None:
        """Moves the teacher towards the student, more slowly the more is done.

        The first lesson copies it, whatever weights training starts from.
        """
        decay = 0.0
        if self.num_lessons > 0:
            start = self.config.teacher_decay
            decay = 1 - (1 - start) * (1 + math.cos(math.pi * progress)) / 2
        student = [*self.backbone.state_dict().values(), *self.head.state_dict().values()]
        for kept, new in zip(self.teacher.state_dict().values(), student, strict=True):
            kept.lerp_(new, 1 - decay) if kept.is_floating_point() else kept.copy_(new)
        self.num_lessons += 1


class DinoMeasure:
    """Whether views find their own picture, with views that are the same each time."""

    def __init__(self, task: PretrainDino) -> None:
        self._task = task
        self._views = Rows(), Rows()
        self._vectors = Vectors()

    def update(self, batch: Batch) -> None:
        """Looks at one batch."""
        generator = random_as_before(batch)
        views = make_views(batch.images, self._task.config, generator=generator)
        for found, images in zip(self._views, (views.whole[0], views.whole[-1]), strict=True):
            found.add(self._task.vectors(images).float())
        labels = batch.targets if isinstance(batch.targets, Tensor) else None
        self._vectors.update(self._task.vectors(batch.images), labels)

    def collected(self) -> tuple[Rows, Rows, Vectors]:
        """See ``Measure``."""
        return *self._views, self._vectors

    def figures(self) -> dict[str, float]:
        """``view_recall``, and what the vectors of the pictures are worth."""
        first, second = (found.whole() for found in self._views)
        return {"view_recall": view_recall(first, second)} | self._vectors.figures()
