"""Classification: one class for each picture."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.build import AnyBackbone
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.data.batch import Batch
from saccade.heads.classify import ClassHead, ClassLogits
from saccade.losses.classify import cross_entropy
from saccade.metrics.classify import ClassMetrics
from saccade.metrics.result import ClassResult
from saccade.tasks.lesson import Lesson
from saccade.tasks.normalise import Normalise
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


class Classify(nn.Module):
    """Pictures to class probabilities, and the loss that teaches it.

    Args:
        backbone: pictures to tokens.
        head: tokens to logits.
        class_names: the K classes in the order of the logits.
        preprocess: gives mean and standard deviation of the pixels.
        label_smoothing: of the training loss.
        lesson: listens to a teacher, where there is one.
    """

    best_figure = "log_loss"
    best_is_low = True
    most_judged: int | None = None
    takes_parts = True

    def __init__(
        self,
        *,
        backbone: AnyBackbone,
        head: ClassHead,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        label_smoothing: float,
        lesson: Lesson | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.lesson = lesson
        self.class_names = class_names
        self.label_smoothing = label_smoothing
        self.scale = Normalise(preprocess)

    def forward(self, images: UInt8[Tensor, "B C H W"]) -> ClassLogits:
        """Logits of pictures as bytes."""
        return self.head(self.tokens(images))

    def tokens(self, images: UInt8[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """What the backbone makes of pictures as bytes."""
        return self.backbone(self.normalise(images), trace)

    def normalise(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Bytes to the numbers that the backbone is given."""
        return self.scale(images)

    @property
    def reads(self) -> Pool:
        """Which tokens the head reads."""
        return self.head.pool

    def score(self, tokens: Tokens, asked: Int64[Tensor, " B"]) -> Float[Tensor, " B"]:
        """The logit of one class for each picture."""
        return self.head(tokens).logits.gather(1, asked[:, None])[:, 0]

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,  # noqa: ARG002  as in Task
    ) -> Mapping[str, Float[Tensor, ""]]:
        """Cross-entropy, and the share of the batch that was right (before this step).

        With a teacher: the share that it has in the loss, and how far it is from being agreed with.
        """
        tokens = self.tokens(batch.images)
        logits = self.head(tokens).logits
        loss = cross_entropy(logits, batch.classes, label_smoothing=self.label_smoothing)
        top1 = (logits.detach().argmax(dim=1) == batch.labels).float().mean()
        if self.lesson is None or batch.told is None:
            return {"loss": loss, "top1": top1}
        taught = self.lesson.loss(tokens, logits, batch.told)
        return {"loss": self.lesson.blend(loss, taught), "top1": top1, "taught": taught.detach()}

    @torch.no_grad()
    def predict(self, batch: Batch) -> Float[Tensor, "B K"]:
        """Class probabilities in fp32, each row summing to 1."""
        return self(batch.images).logits.float().softmax(dim=1)

    def metrics(self) -> "ClassMeasure":
        """An empty collector."""
        return ClassMeasure(self)


class ClassMeasure:
    """Asks a task about batches and keeps what the figures need."""

    def __init__(self, task: Classify) -> None:
        self._task = task
        self._metrics = ClassMetrics(task.class_names)

    def update(self, batch: Batch) -> None:
        """Predicts one labelled batch."""
        self._metrics.update(self._task.predict(batch), batch.labels)

    def collected(self) -> tuple[ClassMetrics]:
        """See ``Measure``."""
        return (self._metrics,)

    def figures(self) -> dict[str, float]:
        """Top-1 and its companions as plain numbers."""
        return {name: figure.value for name, figure in self.result().metrics.items()}

    def result(self) -> ClassResult:
        """All there is to say, with intervals."""
        return self._metrics.result()
