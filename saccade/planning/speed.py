"""How long one real training step takes here."""

import statistics
import time
from dataclasses import replace

import torch

from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import SegmentConfig
from saccade.data.batch import Batch
from saccade.data.example import example_shape
from saccade.data.targets import Targets
from saccade.run.learner import Learner
from saccade.run.teacher import Teacher
from saccade.tasks.build import build_task


def seconds_per_step(
    config: RunConfig,
    *,
    num_classes: int,
    preprocess: Preprocess,
    device: torch.device,
    targets: Targets | None,
    batch_size: int,
    num_steps: int = 4,
    teacher: Teacher | None = None,
) -> float:
    """Builds the model and trains it on noise for a moment: augmentation, optimiser and all.

    Args:
        config: what would be trained.
        num_classes: K.
        preprocess: the shape of a picture.
        device: where.
        targets: made up, for one batch; None for a job without any.
        batch_size: pictures a step.
        num_steps: how many steps are timed, after one that is not.
        teacher: that has to be asked too.

    Returns:
        The median, in seconds.
    """
    names = tuple(str(k) for k in range(num_classes))
    if isinstance(config.task, SegmentConfig):  # its stuff is named, and these names are made up
        config = replace(config, task=replace(config.task, stuff=()))
    task = build_task(config, class_names=names, preprocess=preprocess)
    learner = Learner(task, config=config, device=device, teacher=teacher)
    batch = _noise(batch_size, preprocess, targets)
    times = []
    for step in range(1 + num_steps):
        start = time.perf_counter()
        learner.step(batch, epoch=0, step=step, planned_steps=1000, progress=0.5)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def _noise(batch_size: int, preprocess: Preprocess, targets: Targets | None) -> Batch:
    generator = torch.Generator().manual_seed(0)
    shape = (batch_size, *example_shape(preprocess))
    return Batch(
        images=torch.randint(256, shape, dtype=torch.uint8, generator=generator),
        targets=targets,
        ids=torch.arange(batch_size),
    )
