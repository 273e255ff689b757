"""From a run's configuration to a task with fresh weights."""

import torch

from saccade.backbones.build import build_backbone
from saccade.config.model import ModelConfig, VitConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.heads.classify import ClassHead
from saccade.tasks.classify import Classify

AnyTask = Classify
"""Every task there is; the loop takes any of them."""


def build_task(
    config: RunConfig, *, class_names: tuple[str, ...], preprocess: Preprocess
) -> Classify:
    """Builds the task of a run; its weights are a function of ``config.seed`` alone.

    Raises:
        ValueError: numbers of the model do not fit together.
    """
    return build_classifier(
        config.model,
        class_names=class_names,
        preprocess=preprocess,
        seed=config.seed,
        label_smoothing=config.optim.label_smoothing,
    )


def build_classifier(
    model: ModelConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    seed: int,
    label_smoothing: float,
) -> Classify:
    """Builds a classifier with fresh weights.

    Args:
        model: the shape.
        class_names: in the order of the logits. Empty for weights without a head: then there is
            one output, which means nothing.
        preprocess: how its pictures are prepared.
        seed: decides the weights, and nothing else does.
        label_smoothing: of the training loss.

    Raises:
        ValueError: numbers of the model do not fit together.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build_backbone(model, in_channels=preprocess.channels)
        head = build_head(model, num_classes=max(len(class_names), 1))
    return Classify(
        backbone=backbone,
        head=head,
        class_names=class_names,
        preprocess=preprocess,
        label_smoothing=label_smoothing,
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
