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
    """Builds the task; its weights are a function of ``config.seed`` alone.

    Raises:
        ValueError: numbers of the model do not fit together.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        backbone = build_backbone(config.model, in_channels=preprocess.channels)
        head = build_head(config.model, num_classes=len(class_names))
    return Classify(
        backbone=backbone,
        head=head,
        class_names=class_names,
        preprocess=preprocess,
        label_smoothing=config.optim.label_smoothing,
    )


def build_head(model: ModelConfig, *, num_classes: int) -> ClassHead:
    """The head that reads a backbone of this shape."""
    if not isinstance(model, VitConfig):
        return ClassHead(model.embed_dim, num_classes=num_classes, pool="mean")
    return ClassHead(
        model.embed_dim,
        num_classes=num_classes,
        pool=model.pool,
        norm_eps=model.norm_eps if model.final_norm == "pooled" else None,
    )
