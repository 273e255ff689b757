"""From a run's configuration to a task with fresh weights."""

import torch

from saccade.backbones.build import build_backbone
from saccade.config.model import VitConfig
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
        backbone = build_backbone(
            config.model, in_channels=preprocess.channels, image_size=preprocess.height
        )
        has_class_token = isinstance(config.model, VitConfig) and config.model.has_class_token
        head = ClassHead(
            config.model.embed_dim,
            num_classes=len(class_names),
            pool="class" if has_class_token else "mean",
        )
    return Classify(
        backbone=backbone,
        head=head,
        class_names=class_names,
        preprocess=preprocess,
        label_smoothing=config.optim.label_smoothing,
    )
