"""Detection: a class and a box for each object."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.build import AnyBackbone
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.config.task import DetectConfig
from saccade.data.batch import Batch
from saccade.data.placement import place
from saccade.data.targets import PADDING, BoxTargets
from saccade.heads.detect import DetectHead, DetectLogits, guess_boxes, stand_out
from saccade.losses.boxes import to_xyxy
from saccade.losses.detect import Objects, detect_losses, match, repeat
from saccade.metrics.average_precision import AveragePrecision, Found, Truth
from saccade.metrics.detection_result import DetectionResult
from saccade.shapes import Grid
from saccade.tasks.normalise import Normalise
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


@dataclass(frozen=True, kw_only=True)
class Detections:
    """The best proposals for each picture, from the highest score down.

    Attributes:
        boxes_xyxy: left, top, right, bottom in the input's pixels, cut at its border.
        scores: in [0, 1].
        labels: class ids.
    """

    boxes_xyxy: Float[Tensor, "B Q 4"]
    scores: Float[Tensor, "B Q"]
    labels: Int64[Tensor, "B Q"]


class Detect(nn.Module):
    """Pictures to objects, and the loss that teaches it.

    At first every object is learned by several tokens, which teaches quickly; from
    ``config.one_to_one_from`` on by one, and the others learn to be silent. So nothing is found
    twice, and no overlapping boxes have to be removed afterwards.

    Args:
        backbone: pictures to tokens.
        head: tokens to proposals.
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
        backbone: AnyBackbone,
        head: DetectHead,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: DetectConfig,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.class_names = class_names
        self.preprocess = preprocess
        self.config = config
        self.scale = Normalise(preprocess)

    def forward(self, images: UInt8[Tensor, "B C H W"]) -> DetectLogits:
        """Proposals for pictures as bytes."""
        return self.head(self.tokens(images))

    def tokens(self, images: UInt8[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """What the backbone makes of pictures as bytes."""
        return self.backbone(self.normalise(images), trace)

    def normalise(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Bytes to the numbers that the backbone is given."""
        return self.scale(images)

    @property
    def reads(self) -> Pool:
        """Every patch speaks for itself."""
        return "mean"

    def score(self, tokens: Tokens, asked: Int64[Tensor, " B"]) -> Float[Tensor, " B"]:
        """The highest logit that any token has for a class."""
        best = self.head(tokens).logits.amax(dim=1)  # B K
        return best.gather(1, asked[:, None])[:, 0]

    def loss(self, batch: Batch, *, progress: float) -> Mapping[str, Float[Tensor, ""]]:
        """Focal loss of the classes, L1 and GIoU of the boxes, and how well the boxes fit."""
        found = self(batch.images)
        objects, is_unknown = self._truth(batch, found.grid)
        if progress < self.config.one_to_one_from:
            objects = repeat(objects, self.config.repeats)
        centres = _centres(found.grid, device=found.logits.device)
        tokens = match(found.logits, found.boxes_cxcywh, centres, objects)
        parts = detect_losses(
            found.logits, found.boxes_cxcywh, objects, tokens, is_unknown=is_unknown
        )
        return {
            "loss": parts.classes + parts.l1 + parts.giou,
            "class_loss": parts.classes.detach(),
            "l1_loss": parts.l1.detach(),
            "giou_loss": parts.giou.detach(),
        }

    @torch.no_grad()
    def predict(self, batch: Batch) -> Detections:
        """The proposals of highest score, at most ``config.max_detections`` of each picture.

        Of neighbouring tokens that see the same object the surest one stands out, and so does of
        each token its surest class (``stand_out``).
        A token may stand for two classes: then both are among them, with the same box.
        """
        found = self(batch.images)
        scores = stand_out(found.logits.float(), found.grid).sigmoid()  # B n K
        num_classes = scores.shape[2]
        count = min(self.config.max_detections, scores[0].numel())
        # A stable sort and not topk: of equal scores the first, on every machine.
        best, place = scores.flatten(1).sort(dim=1, descending=True, stable=True)
        token = (place[:, :count] // num_classes)[:, :, None].expand(-1, -1, 4)
        boxes = to_xyxy(found.boxes_cxcywh.float()) * self._extent(found.grid)
        height, width = batch.images.shape[-2:]
        limits = boxes.new_tensor([width, height, width, height])
        return Detections(
            boxes_xyxy=boxes.gather(1, token).clamp(min=0).minimum(limits),
            scores=best[:, :count],
            labels=place[:, :count] % num_classes,
        )

    def metrics(self) -> "DetectMeasure":
        """An empty collector."""
        return DetectMeasure(self)

    def _extent(self, grid: Grid) -> Float[Tensor, " 4"]:
        """Width and height of the grid in pixels, twice; pictures are padded to whole patches."""
        size = torch.tensor([grid.w, grid.h] * 2, device=self.scale.mean.device)
        return size * float(self.backbone.patch_size)

    def _truth(self, batch: Batch, grid: Grid) -> tuple[Objects, Bool[Tensor, "B n"]]:
        """The objects as shares of the grid, and the tokens inside a crowd."""
        targets = batch.targets
        assert isinstance(targets, BoxTargets)
        boxes = targets.boxes_xyxy / self._extent(grid)
        is_there = targets.labels != PADDING
        objects = Objects(boxes, targets.labels, is_there & ~targets.is_crowd)
        at = _centres(grid, device=boxes.device)[None, :, None]
        low, high = boxes[:, None, :, :2], boxes[:, None, :, 2:]
        is_inside = ((at >= low) & (at < high)).all(dim=-1)  # B n M
        return objects, (is_inside & (is_there & targets.is_crowd)[:, None]).any(dim=2)


class DetectMeasure:
    """Asks a task about batches and keeps what the figures need, in the pictures' own pixels."""

    def __init__(self, task: Detect) -> None:
        self._task = task
        self._metrics = AveragePrecision(task.class_names)

    def update(self, batch: Batch) -> None:
        """Predicts one batch with boxes."""
        targets = batch.targets
        assert isinstance(targets, BoxTargets)
        found = self._task.predict(batch)
        for b in range(len(batch)):
            is_there = (targets.labels[b] != PADDING).cpu().numpy()
            self._metrics.update(
                Found(
                    regions=self._to_picture(found.boxes_xyxy[b], batch, b),
                    labels=found.labels[b].cpu().numpy(),
                    scores=found.scores[b].cpu().numpy().astype(np.float64),
                ),
                Truth(
                    regions=self._to_picture(targets.boxes_xyxy[b], batch, b)[is_there],
                    labels=targets.labels[b].cpu().numpy()[is_there],
                    is_crowd=targets.is_crowd[b].cpu().numpy()[is_there],
                ),
            )

    def collected(self) -> tuple[AveragePrecision]:
        """See ``Measure``."""
        return (self._metrics,)

    def figures(self) -> dict[str, float]:
        """Average precision and its companions as plain numbers."""
        return self._metrics.figures()

    def result(self) -> DetectionResult:
        """All there is to say, with intervals."""
        return self._metrics.result()

    def best_score(self) -> float:
        """From which score on detections should be shown; see ``AveragePrecision``."""
        return self._metrics.best_score()

    def _to_picture(
        self, boxes_xyxy: Float[Tensor, "m 4"], batch: Batch, b: int
    ) -> Float64[np.ndarray, "m 4"]:
        """Boxes of the input in the pixels of the picture that it was made from."""
        boxes = boxes_xyxy.cpu().numpy().astype(np.float64)
        if batch.sizes is None:
            return boxes
        height, width = batch.sizes[b].tolist()
        return place(height, width, self._task.preprocess).boxes_to_picture(boxes)


def _centres(grid: Grid, *, device: torch.device) -> Float[Tensor, "n 2"]:
    return guess_boxes(grid, width=0.5, height=0.5, device=device)[:, :2]
