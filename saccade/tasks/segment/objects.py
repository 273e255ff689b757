"""Instance and panoptic segmentation: a class and a mask for each object (arXiv 2503.19108)."""

from collections.abc import Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.query_vit import QueryVit, looking_only_at
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.config.task import SegmentConfig
from saccade.data.batch import Batch
from saccade.data.targets import PADDING, SegmentTargets
from saccade.heads.masks import MaskHead, MaskLogits
from saccade.losses.masks import MaskLosses, mask_losses
from saccade.losses.segment import pixel_cross_entropy, soft_dice
from saccade.metrics.average_precision import SHOWN, AveragePrecision, Found
from saccade.metrics.panoptic import PanopticMetrics
from saccade.tasks.normalise import Normalise
from saccade.tasks.segment.class_maps import class_maps
from saccade.tasks.segment.masks import Masks, true_regions
from saccade.tasks.segment.merge import Merged, merge_masks
from saccade.tokens.tokens import Tokens


class SegmentMasks(nn.Module):
    """Pictures to objects with their masks, and the loss that teaches it.

    Queries stand among the tokens of the last blocks. While training, what they would answer is
    asked before each of these blocks and after the last, and all answers are taught; and a query
    looks only at its own mask so far, with a probability that falls to 0, block by block, so that
    in the end the blocks are those of a plain transformer.

    Args:
        backbone: pictures to tokens, by blocks.
        head: tokens with queries to classes and masks.
        class_names: the K classes in the order of the logits.
        preprocess: gives mean and standard deviation of the pixels.
        config: the numbers of this job.
    """

    best_figure = "ap50"
    best_is_low = False
    most_judged: int | None = None
    takes_parts = True

    def __init__(
        self,
        *,
        backbone: Vit | Rag,
        head: MaskHead,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: SegmentConfig,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.class_names = class_names
        self.config = config
        self.scale = Normalise(preprocess)

    def forward(self, images: UInt8[Tensor, "B C H W"]) -> MaskLogits:
        """Classes and masks for pictures as bytes; no mask on attention."""
        normalised = self.normalise(images)
        return self.head(self.with_queries()(normalised), normalised)

    def with_queries(self) -> QueryVit:
        """The backbone with the queries among its tokens."""
        return QueryVit(
            backbone=self.backbone,
            query_tokens=self.head.query_prefix,
            num_query_blocks=min(self.config.num_query_blocks, len(self.backbone.blocks)),
        )

    def normalise(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Bytes to the numbers that the backbone is given."""
        return self.scale(images)

    def loss(self, batch: Batch, *, progress: float) -> Mapping[str, Float[Tensor, ""]]:
        """Classes, cross-entropy and dice of the masks: the mean over all answers, and the last."""
        truth, images = self.truth(batch), self.normalise(batch.images)
        answers, tokens = self._answers(images, progress)
        losses = [
            mask_losses(found.class_logits, found.mask_logits, truth, cell_size=found.cell_size)
            for found in answers
        ]
        of_queries = torch.stack([_sum(each) for each in losses]).mean()
        classes = class_maps(truth, has_background=True)
        by_patches = self.head.on_patches(tokens, images).logits
        of_patches = pixel_cross_entropy(
            by_patches, classes, balance=self.config.balance, label_smoothing=0.0
        ) + soft_dice(by_patches, classes)
        last = losses[-1]
        return {
            "loss": of_queries + self.config.patch_weight * of_patches,
            "class_loss": last.classes.detach(),
            "mask_loss": last.bce.detach(),
            "dice_loss": last.dice.detach(),
            "patch_loss": of_patches.detach(),
        }

    def _answers(
        self, images: Float[Tensor, "B C H W"], progress: float
    ) -> tuple[list[MaskLogits], Tokens]:
        """What the queries say before each of their blocks and after the last; the last tokens."""
        queries = self.with_queries()
        tokens = queries.begin(images)  # B Q+N D
        shares = mask_shares(progress, num_blocks=queries.num_query_blocks)
        found: list[MaskLogits] = []
        for block, share in zip(queries.blocks, shares, strict=True):
            found.append(self.head(queries.readout(tokens), images))
            if self.config.has_mask_attention and share > 0:
                region = self._region(found[-1], tokens, share)
                tokens = looking_only_at(tokens, region)
            tokens = replace(queries.run(block, tokens), attention_mask=None)
        tokens = queries.readout(tokens)
        return [*found, self.head(tokens, images)], tokens

    def _region(self, found: MaskLogits, tokens: Tokens, share: float) -> Bool[Tensor, "B Q n"]:
        """The patches of each query's mask; of some queries, drawn at random, all."""
        grid = tokens.grid
        with torch.no_grad():
            logits = F.interpolate(
                found.mask_logits.float(), (grid.h, grid.w), mode="bilinear", align_corners=False
            )
            is_free = torch.rand(logits.shape[:2], device=logits.device) >= share  # B Q
            return (logits > 0).flatten(2) | is_free[:, :, None]

    @torch.no_grad()
    def predict(self, batch: Batch) -> Masks:
        """A class and a mask for every query, from the highest score down."""
        found = self(batch.images)
        masks = found.mask_logits.float()  # B Q h2 w2
        best, labels = found.class_logits.float().softmax(dim=2)[:, :, :-1].max(dim=2)
        is_inside = masks > 0
        inside = (masks.sigmoid() * is_inside).sum(dim=(2, 3))
        scores = best * inside / is_inside.sum(dim=(2, 3)).clamp(min=1)
        # A stable sort: of equal scores the first, on every machine.
        scores, order = scores.sort(dim=1, descending=True, stable=True)
        height, width = batch.images.shape[-2:]
        return Masks(
            scores=scores,
            labels=labels.gather(1, order),
            mask_logits=masks.gather(1, order[:, :, None, None].expand_as(masks)),
            cell_size=found.cell_size,
            height=height,
            width=width,
        )

    def merge(
        self,
        probs: Float[Tensor, "Q H W"],
        masks: Masks,
        picture: int,
        *,
        smallest_score: float = SHOWN,
    ) -> Merged:
        """Segments of one picture that share no pixel.

        Args:
            probs: of the first masks, in whatever size the segments are wanted.
            masks: what was predicted.
            picture: which of the batch.
            smallest_score: of a mask that takes part.
        """
        return merge_masks(
            probs,
            masks.labels[picture, : len(probs)],
            masks.scores[picture, : len(probs)],
            smallest_score=smallest_score,
            stuff={self.class_names.index(name) for name in self.config.stuff},
        )

    def explained(self) -> "ExplainedMasks":
        """What explanations ask: the same answers, from the blocks that see the queries."""
        return ExplainedMasks(self)

    def truth(self, batch: Batch) -> SegmentTargets:
        """The segments of a batch."""
        assert isinstance(batch.targets, SegmentTargets)
        return batch.targets

    def metrics(self) -> "MaskMeasure":
        """An empty collector."""
        return MaskMeasure(self)


class ExplainedMasks:
    """A task whose tokens hold the queries, for LeGrad; the queries answer, and not the patches.

    Args:
        task: in evaluation mode.
    """

    reads: Pool = "class"

    def __init__(self, task: SegmentMasks) -> None:
        self._task = task
        self.backbone = task.with_queries()
        self.class_names = task.class_names

    def normalise(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """As the task does."""
        return self._task.normalise(images)

    def score(self, tokens: Tokens, asked: Int64[Tensor, " B"]) -> Float[Tensor, " B"]:
        """The highest logit that any query has for a class."""
        best = self._task.head.on_queries(tokens).amax(dim=1)  # B K1
        return best.gather(1, asked[:, None])[:, 0]


class MaskMeasure:
    """Asks a task about batches, in the input's pixels."""

    def __init__(self, task: SegmentMasks) -> None:
        self._task = task
        self.precision = AveragePrecision(task.class_names)
        self.panoptic = PanopticMetrics(task.class_names)

    def update(self, batch: Batch) -> None:
        """Predicts one batch with segments."""
        found, truth = self._task.predict(batch), self._task.truth(batch)
        for picture in range(len(batch)):
            probs = found.probs(picture)
            merged = self._task.merge(probs, found, picture)
            segments = truth.segments[picture].cpu().numpy()
            labels = truth.labels[picture]
            labels = labels[labels != PADDING].cpu().numpy()
            self.panoptic.update(
                merged.segments.cpu().numpy(), merged.labels.cpu().numpy(), segments, labels
            )
            self.precision.update(
                Found(
                    regions=(probs >= 0.5).cpu().numpy(),
                    labels=found.labels[picture].cpu().numpy(),
                    scores=found.scores[picture].double().cpu().numpy(),
                ),
                true_regions(segments, labels),
            )

    def collected(self) -> tuple[AveragePrecision, PanopticMetrics]:
        """See ``Measure``."""
        return self.precision, self.panoptic

    def figures(self) -> dict[str, float]:
        """Average precision of the masks, and panoptic quality."""
        panoptic = {name: each.value for name, each in self.panoptic.metrics().items()}
        return self.precision.figures() | panoptic

    def best_score(self) -> float:
        """From which score on masks should be shown; see ``AveragePrecision``."""
        return self.precision.best_score()


def mask_shares(progress: float, *, num_blocks: int) -> list[float]:
    """The probability with which each block's queries see only their own mask.

    It falls from 1 to 0, for one block after the other: with L blocks, that of block l in the part
    of the training from (l + 1) / (L + 2) to (l + 2) / (L + 2), by a power of 0.9.
    """
    whole = num_blocks + 2
    return [
        (1 - min(max(progress * whole - (block + 1), 0.0), 1.0)) ** 0.9
        for block in range(num_blocks)
    ]


def _sum(losses: MaskLosses) -> Float[Tensor, ""]:
    return losses.classes + losses.bce + losses.dice
