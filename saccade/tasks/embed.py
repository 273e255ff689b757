"""Metric learning: pictures to vectors, such that those of one class are near each other."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.build import AnyBackbone
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.config.task import EmbedConfig
from saccade.data.batch import Batch
from saccade.heads.embed import EmbedHead, EmbedVectors
from saccade.losses.embed import koleo_loss, proxy_loss
from saccade.metrics.retrieval import RetrievalResult, retrieval
from saccade.metrics.rows import Rows
from saccade.tasks.normalise import Normalise
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


class Embed(nn.Module):
    """Pictures to vectors of unit length, and the loss that arranges them by class.

    Args:
        backbone: pictures to tokens.
        head: tokens to vectors.
        class_names: the K classes that are told apart in training.
        preprocess: gives mean and standard deviation of the pixels.
        config: the numbers of the loss.
    """

    best_figure = "map"
    best_is_low = False
    most_judged: int | None = None

    def __init__(
        self,
        *,
        backbone: AnyBackbone,
        head: EmbedHead,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: EmbedConfig,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.class_names = class_names
        self.config = config
        self.scale = Normalise(preprocess)

    def forward(self, images: UInt8[Tensor, "B C H W"]) -> EmbedVectors:
        """Vectors of pictures as bytes."""
        return self.head(self.tokens(images))

    def tokens(self, images: UInt8[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """What the backbone makes of pictures as bytes."""
        return self.backbone(self.normalise(images), trace)

    def normalise(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Bytes to the numbers that the backbone is given."""
        return self.scale(images)

    @property
    def takes_parts(self) -> bool:
        """Whether no picture is compared with the others of its batch."""
        return self.config.spread_weight == 0

    @property
    def reads(self) -> Pool:
        """Which tokens the head reads."""
        return self.head.pool

    def score(self, tokens: Tokens, asked: Int64[Tensor, " B"]) -> Float[Tensor, " B"]:
        """The cosine between each picture and the direction of one class."""
        return self.head(tokens).cosines.gather(1, asked[:, None])[:, 0]

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,  # noqa: ARG002  as in Task
    ) -> Mapping[str, Float[Tensor, ""]]:
        """The loss, the share of the batch nearest to its class, and how close vectors lie."""
        config, labels = self.config, batch.labels
        found = self(batch.images)
        pull = proxy_loss(found.cosines, labels, temperature=config.temperature)
        nearest = found.cosines.detach().argmax(dim=1)
        parts = {"loss": pull, "top1": (nearest == labels).float().mean()}
        if config.spread_weight > 0 and len(labels) > 1:
            spread = koleo_loss(found.vectors)
            parts |= {"loss": pull + config.spread_weight * spread, "spread": spread.detach()}
        return parts

    @torch.no_grad()
    def predict(self, batch: Batch) -> Float[Tensor, "B D"]:
        """A vector of unit length for each picture, in fp32."""
        return self(batch.images).vectors

    def metrics(self) -> "EmbedMeasure":
        """An empty collector."""
        return EmbedMeasure(self)


class EmbedMeasure:
    """Asks a task about batches, and lets each picture search among all others at the end."""

    def __init__(self, task: Embed) -> None:
        self._task = task
        self._vectors, self._labels = Rows(), Rows()

    def update(self, batch: Batch) -> None:
        """Embeds one labelled batch."""
        self._vectors.add(self._task.predict(batch))
        self._labels.add(batch.labels)

    def collected(self) -> tuple[Rows, Rows]:
        """See ``Measure``."""
        return self._vectors, self._labels

    def figures(self) -> dict[str, float]:
        """Recall and mean average precision; worst where no two pictures share a class."""
        metrics = self.result().metrics
        if not metrics:
            return {"recall_at_1": 0.0, "map": 0.0}
        return {name: figure.value for name, figure in metrics.items()}

    def result(self) -> RetrievalResult:
        """All there is to say, with intervals."""
        return retrieval(self._vectors.whole(), self._labels.whole())
