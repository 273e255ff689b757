"""From numbers to a task that embeds."""

import torch

from saccade.backbones.build import build_backbone
from saccade.config.model import ModelConfig, VitConfig
from saccade.config.run import Preprocess
from saccade.config.task import EmbedConfig
from saccade.heads.embed import EmbedHead
from saccade.tasks.embed import Embed


def build_embedder(
    model: ModelConfig,
    task: EmbedConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    seed: int,
) -> Embed:
    """Builds an embedder with fresh weights.

    Args:
        model: the shape.
        task: how many numbers a vector has, and those of the loss.
        class_names: that are told apart in training.
        preprocess: how its pictures are prepared.
        seed: decides the weights, and nothing else does.

    Raises:
        ValueError: numbers of the model do not fit together.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build_backbone(model, in_channels=preprocess.channels)
        head = EmbedHead(
            model.embed_dim,
            num_classes=max(len(class_names), 1),
            out_dim=task.out_dim,
            pool=model.pool if isinstance(model, VitConfig) else "mean",
        )
    return Embed(
        backbone=backbone,
        head=head,
        class_names=class_names,
        preprocess=preprocess,
        config=task,
    )
