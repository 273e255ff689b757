"""VISReg and LeJEPA: views of a picture agree, and many pictures keep to a Gaussian."""

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
from saccade.heads.projector import Projector
from saccade.losses.agreement import disagreement
from saccade.losses.sigreg import sigreg
from saccade.losses.visreg import random_directions, visreg
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


class Pretrain(nn.Module):
    """Learns by making the views of a picture agree, without a teacher (arXiv 2606.02572).

    That all vectors become the same would be the least disagreement; the regulariser is what
    forbids it. The best weights are chosen by the loss on held-out pictures, with the same views
    each time, and never by classes: a folder gives the same weights with and without labels.

    Args:
        backbone: pictures to tokens.
        head: vectors to what the loss sees; left behind afterwards.
        pool: how tokens become the vector of a picture.
        class_names: of the pictures, where they have any; nothing is learned from them.
        preprocess: gives mean and standard deviation of the pixels.
        config: which method, its views and its numbers.
    """

    best_figure = "loss"
    best_is_low = True
    most_judged: int | None = MOST_JUDGED
    takes_parts = False

    def __init__(
        self,
        *,
        backbone: AnyBackbone,
        head: Projector,
        pool: Pool,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: PretrainConfig,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.reads: Pool = pool
        self.class_names = class_names
        self.config = config
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

    def project(self, views: Views) -> Float[Tensor, "V B D"]:
        """What the loss sees of each view, the global ones first, in fp32."""
        whole = self.vectors(views.whole.flatten(0, 1))  # V*B D
        if len(views.parts):
            whole = torch.cat([whole, self.vectors(views.parts.flatten(0, 1))])
        return self.head(whole).float().unflatten(0, (-1, views.whole.shape[1]))

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,  # noqa: ARG002  as in Task
    ) -> Mapping[str, Float[Tensor, ""]]:
        """The loss, how far views disagree, and what the regulariser says."""
        return self.losses(self.project(make_views(batch.images, self.config)))

    def losses(
        self, projected: Float[Tensor, "V B D"], *, generator: torch.Generator | None = None
    ) -> dict[str, Float[Tensor, ""]]:
        """The terms of the loss, in fp32.

        Args:
            projected: see ``project``.
            generator: of the directions; None: torch's global one.
        """
        config = self.config
        with torch.autocast(projected.device.type, enabled=False):
            directions = random_directions(
                projected.shape[2],
                count=config.num_slices,
                device=projected.device,
                generator=generator,
            )
            apart = disagreement(projected, num_whole=config.num_global_views)
            if config.method == "lejepa":
                terms = {"gaussian": sigreg(projected, directions)}
            else:
                terms = visreg(projected, directions)
            spread = torch.stack(list(terms.values())).sum()
            loss = (1 - config.regulariser) * apart + config.regulariser * spread
        noted = {"disagreement": apart, **terms}
        return {"loss": loss} | {name: term.detach() for name, term in noted.items()}

    @torch.no_grad()
    def predict(self, batch: Batch) -> Float[Tensor, "B D"]:
        """The vector of each picture at unit length, in fp32."""
        return F.normalize(self.vectors(batch.images).float(), dim=1)

    def metrics(self) -> "PretrainMeasure":
        """An empty collector."""
        return PretrainMeasure(self)


class PretrainMeasure:
    """The loss on held-out pictures, with views that are the same each time."""

    def __init__(self, task: Pretrain) -> None:
        self._task = task
        self._projected = Rows()  # n V D
        self._vectors = Vectors()

    def update(self, batch: Batch) -> None:
        """Looks at one batch."""
        generator = random_as_before(batch)
        views = make_views(batch.images, self._task.config, generator=generator)
        self._projected.add(self._task.project(views).transpose(0, 1))
        labels = batch.targets if isinstance(batch.targets, Tensor) else None
        self._vectors.update(self._task.vectors(batch.images), labels)

    def collected(self) -> tuple[Rows, Vectors]:
        """See ``Measure``."""
        return self._projected, self._vectors

    def figures(self) -> dict[str, float]:
        """The loss and its terms over all pictures together, and what their vectors are worth."""
        projected = self._projected.whole().transpose(0, 1).contiguous()
        projected = projected.to(self._task.scale.mean.device)
        generator = torch.Generator().manual_seed(1)
        losses = self._task.losses(projected, generator=generator)
        found = {name: value.item() for name, value in losses.items()}
        if self._task.config.num_global_views > 1:
            found["view_recall"] = view_recall(projected[0], projected[1])
        return found | self._vectors.figures()
