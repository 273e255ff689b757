"""How long one real training step takes here."""

import statistics
import time

import torch

from saccade.config.run import Preprocess, RunConfig
from saccade.data.batch import Batch
from saccade.run.learner import Learner
from saccade.tasks.build import build_task


def seconds_per_step(
    config: RunConfig,
    *,
    num_classes: int,
    preprocess: Preprocess,
    device: torch.device,
    batch_size: int,
    num_steps: int = 4,
) -> float:
    """Builds the model and trains it on noise for a moment: augmentation, optimiser and all.

    Args:
        config: what would be trained.
        num_classes: K.
        preprocess: the shape of a picture.
        device: where.
        batch_size: pictures a step.
        num_steps: how many steps are timed, after one that is not.

    Returns:
        The median, in seconds.
    """
    names = tuple(str(k) for k in range(num_classes))
    task = build_task(config, class_names=names, preprocess=preprocess)
    learner = Learner(task, config=config, device=device)
    batch = _noise(batch_size, num_classes, preprocess)
    times = []
    for step in range(1 + num_steps):
        start = time.perf_counter()
        learner.step(batch, epoch=0, step=step, planned_steps=1000, progress=0.5)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def _noise(batch_size: int, num_classes: int, preprocess: Preprocess) -> Batch:
    generator = torch.Generator().manual_seed(0)
    shape = (batch_size, preprocess.channels, preprocess.height, preprocess.width)
    return Batch(
        images=torch.randint(256, shape, dtype=torch.uint8, generator=generator),
        targets=torch.randint(num_classes, (batch_size,), generator=generator),
        ids=torch.arange(batch_size),
    )
