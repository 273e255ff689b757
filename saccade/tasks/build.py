"""From a run's configuration to a task with fresh weights."""

from dataclasses import replace

import torch

from saccade.backbones.build import build_backbone
from saccade.config.model import ModelConfig, VitConfig
from saccade.config.run import UNTAUGHT, Preprocess, RunConfig
from saccade.config.task import (
    DetectConfig,
    EmbedConfig,
    GenerateConfig,
    PretrainConfig,
    SegmentConfig,
    TeachConfig,
    TranslateConfig,
    VideoConfig,
)
from saccade.heads.classify import ClassHead
from saccade.heads.detect import DetectHead
from saccade.tasks.build_embed import build_embedder
from saccade.tasks.classify import Classify
from saccade.tasks.detect import Detect
from saccade.tasks.embed import Embed
from saccade.tasks.flow.build import build_generator, build_translator
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.translate import Translate
from saccade.tasks.lesson import build_lesson
from saccade.tasks.pretrain.build import build_pretrain
from saccade.tasks.pretrain.dino import PretrainDino
from saccade.tasks.pretrain.features import PretrainFeatures
from saccade.tasks.pretrain.mae import PretrainMae
from saccade.tasks.pretrain.views import Pretrain
from saccade.tasks.segment.build import build_segmenter
from saccade.tasks.segment.classes import Segment
from saccade.tasks.segment.objects import SegmentMasks
from saccade.tasks.video import FrameModel, Video

AnyTask = (
    Classify
    | Detect
    | Embed
    | Generate
    | Pretrain
    | PretrainDino
    | PretrainFeatures
    | PretrainMae
    | Segment
    | SegmentMasks
    | Translate
    | Video
)
"""Every task there is; the loop takes any of them."""


def build_task(
    config: RunConfig, *, class_names: tuple[str, ...], preprocess: Preprocess
) -> AnyTask:
    """Builds the task of a run; its weights are a function of ``config.seed`` alone.

    Raises:
        ValueError: numbers of the model do not fit together.
    """
    match config.task:
        case DetectConfig():
            return build_detector(config, class_names=class_names, preprocess=preprocess)
        case EmbedConfig():
            return build_embedder(
                config.model,
                config.task,
                class_names=class_names,
                preprocess=preprocess,
                seed=config.seed,
            )
        case GenerateConfig():
            return build_generator(
                config.model,
                config.task,
                class_names=class_names,
                preprocess=preprocess,
                seed=config.seed,
            )
        case TranslateConfig():
            return build_translator(
                config.model,
                config.task,
                class_names=class_names,
                preprocess=preprocess,
                seed=config.seed,
            )
        case PretrainConfig():
            return build_pretrain(
                config.model,
                config.task,
                class_names=class_names,
                preprocess=preprocess,
                seed=config.seed,
                teach=config.teach,
            )
        case SegmentConfig():
            return build_segmenter(
                config.model,
                config.task,
                class_names=class_names,
                preprocess=preprocess,
                seed=config.seed,
                label_smoothing=config.optim.label_smoothing,
            )
        case VideoConfig():
            return build_video(
                config.model,
                config.task,
                class_names=class_names,
                preprocess=preprocess,
                seed=config.seed,
                label_smoothing=config.optim.label_smoothing,
            )
        case _:
            return build_classifier(
                config.model,
                class_names=class_names,
                preprocess=preprocess,
                seed=config.seed,
                label_smoothing=config.optim.label_smoothing,
                teach=config.teach,
            )


def build_classifier(
    model: ModelConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    seed: int,
    label_smoothing: float,
    teach: TeachConfig = UNTAUGHT,
) -> Classify:
    """Builds a classifier with fresh weights.

    Args:
        model: the shape.
        class_names: in the order of the logits. Empty for weights without a head: then there is
            one output, which means nothing.
        preprocess: how its pictures are prepared.
        seed: decides the weights, and nothing else does.
        label_smoothing: of the training loss.
        teach: what a teacher says besides.

    Raises:
        ValueError: numbers of the model do not fit together.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build_backbone(model, in_channels=preprocess.channels)
        head = build_head(model, num_classes=max(len(class_names), 1))
        lesson = build_lesson(teach, embed_dim=model.embed_dim, pool=head.pool)
    return Classify(
        backbone=backbone,
        head=head,
        class_names=class_names,
        preprocess=preprocess,
        label_smoothing=label_smoothing,
        lesson=lesson,
    )


def build_video(
    model: ModelConfig,
    task: VideoConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    seed: int,
    label_smoothing: float,
) -> Video:
    """Builds a model of clips with fresh weights, and the model of single frames beside it.

    Args:
        model: the shape; that of the frames' model is the same, a frame at a time.
        task: how many frames, and whether there is a model of single ones.
        class_names: in the order of the logits; empty for weights without a head.
        preprocess: how its clips are prepared.
        seed: decides the weights, and nothing else does.
        label_smoothing: of the training loss.

    Raises:
        ValueError: the model does not read clips, or its numbers do not fit together.
    """
    if not isinstance(model, VitConfig) or model.tubelet_size < 2:
        raise ValueError("clips need a vit with model.tubelet_size of 2 or more")
    num_classes, channels = max(len(class_names), 1), preprocess.channels
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build_backbone(model, in_channels=channels)
        head = build_head(model, num_classes=num_classes)
        frame_model = None
        if task.baseline == "frames":
            of_frame = of_single_frames(model)
            frame_model = FrameModel(
                backbone=build_backbone(of_frame, in_channels=channels),
                head=build_head(of_frame, num_classes=num_classes),
            )
    return Video(
        backbone=backbone,
        head=head,
        frame_model=frame_model,
        class_names=class_names,
        preprocess=preprocess,
        config=task,
        label_smoothing=label_smoothing,
    )


def of_single_frames(model: VitConfig) -> VitConfig:
    """The same shape for pictures."""
    return replace(model, tubelet_size=1, position_grid=(1, *model.position_grid[1:]))


def build_detector(
    config: RunConfig, *, class_names: tuple[str, ...], preprocess: Preprocess
) -> Detect:
    """Builds a detector with fresh weights."""
    assert isinstance(config.task, DetectConfig)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        backbone = build_backbone(config.model, in_channels=preprocess.channels)
        head = DetectHead(
            config.model.embed_dim,
            num_classes=len(class_names),
            object_width=config.task.object_width,
            object_height=config.task.object_height,
        )
    return Detect(
        backbone=backbone,
        head=head,
        class_names=class_names,
        preprocess=preprocess,
        config=config.task,
    )


def build_head(model: ModelConfig, *, num_classes: int) -> ClassHead:
    """The head that reads a backbone of this shape."""
    if not isinstance(model, VitConfig):
        return ClassHead(model.embed_dim, num_classes=num_classes, pool="mean")
    return ClassHead(
        model.embed_dim,
        num_classes=num_classes,
        pool=model.pool,
        norm_eps=model.pooled_norm_eps if model.final_norm == "pooled" else None,
    )
