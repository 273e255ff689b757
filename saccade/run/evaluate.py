"""A task run once over a data set."""

import json
from collections.abc import Iterable

import torch

from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.run.device import autocast
from saccade.run.stop import StopSignals
from saccade.run.world import ALONE, World
from saccade.tasks.build import AnyTask
from saccade.tasks.task import Collected, Measure


def evaluate(
    task: AnyTask,
    batches: Iterable[Batch],
    *,
    config: RunConfig,
    device: torch.device,
    stop: StopSignals | None = None,
    world: World = ALONE,
) -> dict[str, float] | None:
    """A task's figures over batches; None when a signal came in between.

    Args:
        task: in evaluation mode.
        batches: labelled; of several processes each gives its own, those of the first come first.
        config: gives the precision.
        device: where to run.
        stop: looked at between batches; a signal to one process ends the evaluation in all.
        world: who evaluates together. The figures are those of all batches in one process, to the
            bit, and the same in all of them.
    """
    measure = task.metrics()
    rest = iter(batches)
    while True:
        batch = next(rest, None)
        received = 0 if stop is None else (stop.received or 0)
        received, is_going_on = world.most_of_each(received, int(batch is not None))
        if received:
            return None
        if not is_going_on:
            break
        if batch is not None:  # the others may have more of them
            with torch.inference_mode(), autocast(device, config.precision):
                measure.update(batch.to(device))
    if world.is_alone:
        return measure.figures()
    return _figures_of_all(task, measure, world)


def _figures_of_all(task: AnyTask, measure: Measure, world: World) -> dict[str, float]:
    """Of what all processes have seen, computed by the first."""
    shares = world.collected(measure.collected())
    if not world.is_first:
        return json.loads(world.tell(""))
    whole = task.metrics()
    for share in shares:
        own: tuple[Collected, ...] = whole.collected()
        for mine, theirs in zip(own, share, strict=True):
            mine.extend(theirs)
    figures = whole.figures()
    world.tell(json.dumps(figures))
    return figures
