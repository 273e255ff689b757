"""From numbers to a task that segments."""

import torch

from saccade.backbones.build import build_backbone
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.config.model import ModelConfig
from saccade.config.run import Preprocess
from saccade.config.task import SegmentConfig
from saccade.data.annotations import IGNORED_CLASS
from saccade.errors import UsageError
from saccade.heads.masks import MaskHead
from saccade.heads.segment import LinearMapHead, UpsamplingHead
from saccade.tasks.segment.classes import Segment, pixel_names
from saccade.tasks.segment.objects import SegmentMasks

SMALLEST_WIDTH = 32
"""Numbers by which queries and cells are compared; a quarter of the model's width if that is more.

The finer map has so many channels, and is made anew for each answer: it is half of a step's time.
"""


def build_segmenter(
    model: ModelConfig,
    task: SegmentConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    seed: int,
    label_smoothing: float,
) -> Segment | SegmentMasks:
    """Builds a segmenter with fresh weights.

    Args:
        model: the shape.
        task: which method, and its numbers.
        class_names: of the source.
        preprocess: how its pictures are prepared.
        seed: decides the weights, and nothing else does.
        label_smoothing: of the training loss of classes of pixels.

    Raises:
        UsageError: the method does not fit the masks, or the model, or there are too many classes.
        ValueError: numbers of the model do not fit together.
    """
    if len(pixel_names(class_names, task)) > IGNORED_CLASS:
        raise UsageError(
            f"the source has {len(class_names)} classes, and a map of classes, which every method "
            f"learns from, holds at most {IGNORED_CLASS}, background among them; leave classes out"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build_backbone(model, in_channels=preprocess.channels)
        if task.method != "eomt":
            return Segment(
                backbone=backbone,
                head=_pixel_head(model, task, len(pixel_names(class_names, task)), preprocess),
                class_names=class_names,
                preprocess=preprocess,
                config=task,
                label_smoothing=label_smoothing,
            )
        _require_objects(task, class_names)
        if not isinstance(backbone, Vit | Rag):
            raise UsageError(
                f"task.method is eomt, whose queries join the blocks of a transformer, and the "
                f"model is {model.family}; choose vit or rag, or task.method=upsample"
            )
        head = MaskHead(
            model.embed_dim,
            num_classes=len(class_names),
            num_queries=task.num_queries,
            in_channels=preprocess.channels,
            patch_size=model.patch_size,
            width=max(SMALLEST_WIDTH, model.embed_dim // 4),
        )
    return SegmentMasks(
        backbone=backbone,
        head=head,
        class_names=class_names,
        preprocess=preprocess,
        config=task,
    )


def _pixel_head(
    model: ModelConfig, task: SegmentConfig, num_classes: int, preprocess: Preprocess
) -> LinearMapHead | UpsamplingHead:
    if task.method == "linear":
        return LinearMapHead(model.embed_dim, num_classes=num_classes, patch_size=model.patch_size)
    return UpsamplingHead(
        model.embed_dim,
        num_classes=num_classes,
        in_channels=preprocess.channels,
        patch_size=model.patch_size,
    )


def _require_objects(task: SegmentConfig, class_names: tuple[str, ...]) -> None:
    if task.truth != "segments":
        raise UsageError(
            "task.method is eomt, which finds objects, and the masks of this source hold a class "
            "for each pixel; choose task.method=upsample or linear, or give masks that number "
            "objects (16 bits), or COCO annotations"
        )
    unknown = [name for name in task.stuff if name not in class_names]
    if unknown:
        raise UsageError(
            f"task.stuff names {', '.join(unknown)}, and the classes of this source are "
            f"{', '.join(class_names)}"
        )
