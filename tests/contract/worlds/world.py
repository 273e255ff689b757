"""What the contract of all tasks needs of one: a tiny config and eight examples."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from saccade.config.model import ModelConfig, RagConfig, VitConfig
from saccade.config.run import (
    AugmentConfig,
    DataConfig,
    OptimConfig,
    Preprocess,
    RunConfig,
)
from saccade.config.task import TaskConfig
from saccade.data.batch import Batch

SIDE = 16


class World(NamedTuple):
    """One task, small.

    Attributes:
        config: of a run; ``tiny_config`` makes one.
        class_names: as the source would have them; none for a job without classes.
        preprocess: of pictures ``SIDE`` pixels a side.
        examples: from height and width to eight examples of that size, with their targets; the
            same ones every time.
        untrained: beginnings of the names of parameters that get no gradient, such as a teacher's.
        needs_fall: how far the loss of 30 steps must fall: the mean of the last five steps is
            below this share of that of the first five.
    """

    config: RunConfig
    class_names: tuple[str, ...]
    preprocess: Preprocess
    examples: Callable[[int, int], Batch]
    untrained: tuple[str, ...] = ()
    needs_fall: float = 0.8


VIT = VitConfig(
    embed_dim=24,
    depth=2,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="sincos",
    residual="prenorm",
    num_registers=0,
    has_class_token=False,
    drop_path=0.0,
    position_grid=(1, 4, 4),
)

RAG = RagConfig(
    embed_dim=24,
    depth=1,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    conv_depth=1,
    position="sincos",
    residual="rezero",
    has_features=True,
    has_raw_image=True,
    drop_path=0.0,
)


def tiny_config(task: TaskConfig, *, model: ModelConfig = VIT, lr: float = 3e-3) -> RunConfig:
    """A run of 30 steps on eight examples, nothing augmented."""
    return RunConfig(
        job=task.job,
        seed=0,
        steps=30,
        budget_seconds=None,
        log_every=5,
        evaluate_every=10,
        save_every=10,
        precision="fp32",
        model=model,
        data=DataConfig(
            source="pictures",
            image_size=SIDE,
            channels=3,
            fit="squash",
            batch_size=8,
            val_fraction=0.0,
            test_fraction=0.0,
            max_bad_fraction=0.0,
            cache_gib=1.0,
            num_threads=1,
        ),
        augment=AugmentConfig(
            flip=0.0, translate=0.0, zoom=0.0, rotate_degrees=0.0, shear=0.0, colour=0.0, erase=0.0
        ),
        optim=OptimConfig(
            lr=lr,
            weight_decay=0.05,
            beta1=0.9,
            beta2=0.98,
            warmup=0.1,
            final_lr=0.1,
            clip_norm=1.0,
            label_smoothing=0.0,
            average=0.1,
        ),
        task=task,
    )


def tiny_preprocess(*, channels: int = 3, num_frames: int = 1) -> Preprocess:
    """For pictures (or clips) of ``SIDE`` pixels."""
    return Preprocess(
        height=SIDE,
        width=SIDE,
        channels=channels,
        fit="squash",
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
        num_frames=num_frames,
    )


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random bytes."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator)


def squares(count: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Dark noisy pictures, each with one bright square of 6 x 6 pixels at a place of its own.

    Returns:
        The pictures (uint8, B 3 H W), and left, top, right, bottom of each square (int64, B 4).
    """
    images = noise(count, 3, height, width) // 4
    generator = torch.Generator().manual_seed(1)
    left = torch.randint(width - 6, (count,), generator=generator)
    top = torch.randint(height - 6, (count,), generator=generator)
    for k in range(count):
        rows, columns = slice(top[k], top[k] + 6), slice(left[k], left[k] + 6)
        images[k, k % 3, rows, columns] = 255
    return images, torch.stack([left, top, left + 6, top + 6], dim=1)
