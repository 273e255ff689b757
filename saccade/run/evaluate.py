"""A task run once over a data set."""

from collections.abc import Iterable

import torch

from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.run.device import autocast
from saccade.run.stop import StopSignals
from saccade.tasks.build import AnyTask
from saccade.tasks.task import Measure


def evaluate(
    task: AnyTask,
    batches: Iterable[Batch],
    *,
    config: RunConfig,
    device: torch.device,
    stop: StopSignals | None = None,
) -> Measure | None:
    """Collects a task's figures over batches; None when a signal came in between.

    Args:
        task: in evaluation mode.
        batches: labelled.
        config: gives the precision.
        device: where to run.
        stop: looked at between batches.
    """
    measure = task.metrics()
    for batch in batches:
        if stop is not None and stop.received is not None:
            return None
        with torch.inference_mode(), autocast(device, config.precision):
            measure.update(batch.to(device))
    return measure
