"""Features of a teacher: a backbone learns to see what a larger one sees, without labels."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.build import AnyBackbone
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.data.batch import Batch
from saccade.data.targets import ToldFeatures
from saccade.heads.classify import pooled
from saccade.metrics.rows import Rows
from saccade.tasks.lesson import Lesson
from saccade.tasks.normalise import Normalise
from saccade.tasks.pretrain.representation import MOST_JUDGED, Vectors, strength
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


class PretrainFeatures(nn.Module):
    """Learns vectors that a linear map turns into those of a teacher.

    Args:
        backbone: pictures to tokens.
        head: the map; left behind afterwards.
        class_names: of the pictures, where they have any; nothing is learned from them.
        preprocess: gives mean and standard deviation of the pixels.
    """

    best_figure = "loss"
    best_is_low = True
    most_judged: int | None = MOST_JUDGED
    takes_parts = True

    def __init__(
        self,
        *,
        backbone: AnyBackbone,
        head: Lesson,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.reads: Pool = head.pool
        self.class_names = class_names
        self.scale = Normalise(preprocess)

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

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,  # noqa: ARG002  as in Task
    ) -> Mapping[str, Float[Tensor, ""]]:
        """How far its vectors point away from the teacher's: 1 less the mean cosine."""
        assert isinstance(batch.told, ToldFeatures)
        return {"loss": self.head.seen(self.tokens(batch.images), batch.told).mean()}

    @torch.no_grad()
    def predict(self, batch: Batch) -> Float[Tensor, "B D"]:
        """The vector of each picture at unit length, in fp32."""
        return F.normalize(self.vectors(batch.images).float(), dim=1)

    def metrics(self) -> "FeaturesMeasure":
        """An empty collector."""
        return FeaturesMeasure(self)


class FeaturesMeasure:
    """How far held-out pictures are from the teacher's, and what their vectors are worth."""

    def __init__(self, task: PretrainFeatures) -> None:
        self._task = task
        self._angles = Rows()
        self._vectors = Vectors()

    def update(self, batch: Batch) -> None:
        """Looks at one batch."""
        assert isinstance(batch.told, ToldFeatures)
        tokens = self._task.tokens(batch.images)
        self._angles.add(self._task.head.seen(tokens, batch.told))
        labels = batch.targets if isinstance(batch.targets, Tensor) else None
        self._vectors.update(pooled(tokens, self._task.reads), labels)

    def collected(self) -> tuple[Rows, Vectors]:
        """See ``Measure``."""
        return self._angles, self._vectors

    def figures(self) -> dict[str, float]:
        """``loss``, 1 less the mean cosine with the teacher, and what the vectors are worth."""
        return {"loss": self._angles.whole().mean().item(), **self._vectors.figures()}
