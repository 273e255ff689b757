"""From a configuration to a task that makes pictures."""

import torch
from torch import nn

from saccade.backbones.denoiser import build_denoiser
from saccade.config.model import ModelConfig
from saccade.config.run import Preprocess
from saccade.config.task import GenerateConfig, TranslateConfig
from saccade.heads.picture import PictureHead
from saccade.tasks.flow.edits import condition_channels
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.observer import Observer
from saccade.tasks.flow.translate import Regression, Translate


def build_generator(
    model: ModelConfig,
    task: GenerateConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    seed: int,
) -> Generate:
    """Builds a generator with fresh weights, a function of the seed alone.

    Raises:
        ValueError: numbers of the model do not fit together, or not with a denoiser.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build_denoiser(model, in_channels=preprocess.channels)
        labels = None
        if class_names:
            labels = nn.Embedding(len(class_names) + 1, backbone.embed_dim)
            nn.init.normal_(labels.weight, std=0.02)
        return Generate(
            backbone=backbone,
            head=_head(model, preprocess),
            labels=labels,
            observer=Observer(preprocess.channels, num_classes=len(class_names)),
            class_names=class_names,
            preprocess=preprocess,
            config=task,
        )


def build_translator(
    model: ModelConfig,
    task: TranslateConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    seed: int,
) -> Translate:
    """Builds a translator and its baseline with fresh weights, a function of the seed alone.

    Raises:
        ValueError: numbers of the model do not fit together, or not with a denoiser.
    """
    channels = preprocess.channels
    given = condition_channels(task.edit, channels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Translate(
            backbone=build_denoiser(model, in_channels=channels + given),
            head=_head(model, preprocess),
            regression=Regression(
                backbone=build_denoiser(model, in_channels=given), head=_head(model, preprocess)
            ),
            observer=Observer(channels, num_classes=0),
            class_names=class_names,
            preprocess=preprocess,
            config=task,
        )


def _head(model: ModelConfig, preprocess: Preprocess) -> PictureHead:
    return PictureHead(
        model.embed_dim, patch_size=model.patch_size, out_channels=preprocess.channels
    )
