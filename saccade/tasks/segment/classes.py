"""Semantic segmentation: a class for each pixel."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.build import AnyBackbone
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.config.task import SegmentConfig
from saccade.data.annotations import IGNORED_CLASS
from saccade.data.batch import Batch
from saccade.data.targets import MapTargets, SegmentTargets
from saccade.heads.segment import MapLogits, SegmentHead
from saccade.losses.segment import pixel_cross_entropy, soft_dice
from saccade.metrics.intervals import Estimate
from saccade.metrics.segment import BACKGROUND, MapMetrics
from saccade.tasks.normalise import Normalise
from saccade.tasks.segment.class_maps import class_maps
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


@dataclass(frozen=True, kw_only=True)
class ClassMaps:
    """How likely each class is at each pixel of the input.

    Attributes:
        probs: in fp32, summing to 1 over the classes.
    """

    probs: Float[Tensor, "B K H W"]

    @property
    def classes(self) -> UInt8[Tensor, "B H W"]:
        """The most likely class of each pixel."""
        return self.probs.argmax(dim=1).to(torch.uint8)


class Segment(nn.Module):
    """Pictures to a class for each pixel, and the loss that teaches it.

    Where a source has objects and not classes of pixels, the pixels of no object become a class of
    their own, ``background``, before the others.

    Args:
        backbone: pictures to tokens.
        head: tokens, and the pictures again, to logits of ``len(pixel_names(...))`` classes.
        class_names: the classes of the source.
        preprocess: gives mean and standard deviation of the pixels.
        config: the numbers of this job.
        label_smoothing: of the training loss.
    """

    best_figure = "miou"
    best_is_low = False
    most_judged: int | None = None
    takes_parts = True

    def __init__(
        self,
        *,
        backbone: AnyBackbone,
        head: SegmentHead,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: SegmentConfig,
        label_smoothing: float,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.class_names = class_names
        self.pixel_names = pixel_names(class_names, config)
        self.config = config
        self.label_smoothing = label_smoothing
        self.scale = Normalise(preprocess)

    def forward(self, images: UInt8[Tensor, "B C H W"]) -> MapLogits:
        """Logits of each pixel of pictures as bytes."""
        normalised = self.normalise(images)
        return self.head(self.backbone(normalised), normalised)

    def tokens(self, images: UInt8[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """What the backbone makes of pictures as bytes."""
        return self.backbone(self.normalise(images), trace)

    def normalise(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Bytes to the numbers that the backbone is given."""
        return self.scale(images)

    @property
    def reads(self) -> Pool:
        """Every patch, all alike."""
        return "mean"

    def score(self, tokens: Tokens, asked: Int64[Tensor, " B"]) -> Float[Tensor, " B"]:
        """The mean logit over the patches of a class of the source."""
        logits = self.head.on_tokens(tokens).mean(dim=(2, 3))  # B K
        offset = len(self.pixel_names) - len(self.class_names)
        return logits.gather(1, asked[:, None] + offset)[:, 0]

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,
    ) -> Mapping[str, Float[Tensor, ""]]:
        """Cross-entropy and dice of the pixels, and the share of them that was right.

        Rare classes count more at first, so that they are learned at all, and at the end as much
        as they are there: what counts more is drawn too large.
        """
        found = self(batch.images)
        classes = self.truth(batch)
        balance = self.config.balance * (1 - progress)
        cross_entropy, dice = self._losses(found.logits, classes, balance=balance)
        loss = cross_entropy + self.config.dice_weight * dice
        if self.config.method == "upsample":
            coarse, coarse_dice = self._losses(found.coarse, classes, balance=balance)
            coarse = coarse + self.config.dice_weight * coarse_dice
            loss = loss + self.config.coarse_weight * coarse
        is_known = classes != IGNORED_CLASS
        is_right = found.logits.detach().argmax(dim=1) == classes
        return {
            "loss": loss,
            "cross_entropy": cross_entropy.detach(),
            "dice_loss": dice.detach(),
            "pixel_accuracy": (is_right & is_known).sum() / is_known.sum().clamp(min=1),
        }

    @torch.no_grad()
    def predict(self, batch: Batch) -> ClassMaps:
        """Probabilities of each pixel."""
        return ClassMaps(probs=self(batch.images).logits.float().softmax(dim=1))

    def truth(self, batch: Batch) -> UInt8[Tensor, "B H W"]:
        """The class of each pixel of a batch, in the order of ``pixel_names``."""
        match batch.targets:
            case MapTargets(classes=classes):
                return classes
            case SegmentTargets() as segments:
                return class_maps(segments, has_background=self.config.truth == "segments")
            case other:
                raise AssertionError(f"segmentation learns from masks, not from {type(other)}")

    def metrics(self) -> "MapMeasure":
        """An empty collector."""
        return MapMeasure(self)

    def _losses(
        self,
        logits: Float[Tensor, "B K H W"],
        classes: UInt8[Tensor, "B H W"],
        *,
        balance: float,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        cross_entropy = pixel_cross_entropy(
            logits,
            classes,
            balance=balance,
            label_smoothing=self.label_smoothing,
        )
        return cross_entropy, soft_dice(logits, classes)


class MapMeasure:
    """Asks a task about batches, in the input's pixels."""

    def __init__(self, task: Segment) -> None:
        self._task = task
        self._metrics = MapMetrics(task.pixel_names)

    def update(self, batch: Batch) -> None:
        """Predicts one batch with masks."""
        found = self._task.predict(batch).classes.cpu().numpy()
        truth = self._task.truth(batch).cpu().numpy()
        for one, its_truth in zip(found, truth, strict=True):
            self._metrics.update(one, its_truth)

    def collected(self) -> tuple[MapMetrics]:
        """See ``Measure``."""
        return (self._metrics,)

    def figures(self) -> dict[str, float]:
        """``miou``, ``dice`` and ``pixel_accuracy``."""
        return {name: figure.value for name, figure in self.result().items()}

    def result(self) -> dict[str, Estimate]:
        """The same with intervals."""
        return self._metrics.metrics()


def pixel_names(class_names: tuple[str, ...], config: SegmentConfig) -> tuple[str, ...]:
    """What a pixel can be: a class of the source, or background where those are objects."""
    return (BACKGROUND, *class_names) if config.truth == "segments" else class_names
