"""A training: from weights to better ones, in a run folder."""

from collections.abc import Mapping
from contextlib import nullcontext

import torch

from saccade.config.run import RunConfig
from saccade.data.loader import Loader
from saccade.run.folder import RunFolder
from saccade.run.journal import Journal
from saccade.run.learner import Learner
from saccade.run.lock import locked
from saccade.run.loop import Loop
from saccade.run.memory import keep_memory
from saccade.run.pace import Pace
from saccade.run.saver import Saver
from saccade.run.state import RunState
from saccade.run.stop import StopSignals
from saccade.run.teacher import Teacher
from saccade.run.trouble import OnNan
from saccade.run.watcher import Watcher
from saccade.run.weights import save_weights
from saccade.run.world import ALONE, World
from saccade.tasks.build import AnyTask


def train(
    task: AnyTask,
    training: Loader,
    validation: Loader,
    *,
    config: RunConfig,
    folder: RunFolder,
    header: Mapping[str, str],
    device: torch.device,
    training_seconds: float | None,
    watcher: Watcher,
    on_nan: OnNan = "stop",
    world: World = ALONE,
    teacher: Teacher | None = None,
) -> RunState:
    """Trains a task, from the start or from the newest checkpoint in the run folder.

    Every random choice is a function of (seed, epoch, picture) or (seed, step), so a run that was
    killed and resumed is bitwise the run that never stopped.

    Args:
        task: its weights are changed in place.
        training, validation: prepared loaders.
        config: all numbers.
        folder: where log, weights and checkpoints go: the best averaged weights to
            ``folder.weights``, those of the last step to ``folder.last_weights``.
        header: what the weights files say about themselves.
        device: where to run.
        training_seconds: how long to train, all processes that work on this run together; the
            number of steps is corrected to it on the way. None leaves the steps alone.
        watcher: who watches.
        on_nan: what to do about a loss or gradient that is not finite; such a step moves nothing.
        world: the processes that train together. Each has its share of every batch; the first one
            alone writes and is watched.
        teacher: says what it thinks of each batch; the same one whenever the run goes on.

    Returns:
        Where the run stands: at its end.

    Raises:
        Stopped: a signal came; everything is saved.
        SaccadeError: the loss is not finite, or saving failed.
        UsageError: another process works on this run.
    """
    if device.type == "cpu":
        keep_memory()
    lock = locked(folder.path) if world.is_first else nullcontext()
    with lock, StopSignals() as stop:
        with Saver(folder.checkpoints) as saver:
            loop = Loop(
                Learner(task, config=config, device=device, world=world, teacher=teacher),
                training,
                validation,
                config=config,
                folder=folder,
                header=header,
                pace=Pace(training_seconds),
                journal=Journal(folder.log, watcher, is_silent=not world.is_first),
                on_nan=on_nan,
                saver=saver,
                stop=stop,
                world=world,
            )
            loop.run()
        last = loop.learner.average.gathered()  # of all processes
        if world.is_first:
            save_weights(folder.last_weights, last, header=header)
        loop.end_if_told()  # while the last step was saved
    return loop.state
