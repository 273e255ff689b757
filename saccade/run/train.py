"""The training loop, top to bottom."""

import math
import time
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch

from saccade.config.run import RunConfig
from saccade.data.loader import Loader
from saccade.errors import SaccadeError, Stopped
from saccade.run import checkpoint
from saccade.run.evaluate import evaluate
from saccade.run.folder import RunFolder
from saccade.run.learner import Learner
from saccade.run.pace import Pace
from saccade.run.records import Records
from saccade.run.state import RunState
from saccade.run.stop import StopSignals
from saccade.run.weights import save_weights
from saccade.tasks.build import AnyTask


@runtime_checkable
class Watcher(Protocol):
    """Who watches: a bar on a terminal, lines in a file, or nobody."""

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """After each step, with that step's figures."""
        ...

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """After each record of the log."""
        ...


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

    Returns:
        Where the run stands: at its end.

    Raises:
        Stopped: a signal came; everything is saved.
        SaccadeError: the loss is not finite, or saving failed.
    """
    # Resume or start.
    learner = Learner(task, config=config, device=device)
    records = Records(folder.log)
    state = _resume(folder, learner, records) or RunState(planned_steps=config.steps)
    batches = training.training_batches(config.seed, start_step=state.step)
    clock = _Clock(state)
    pace = Pace(training_seconds)

    with StopSignals() as stop:
        while True:
            is_last = state.step >= state.planned_steps

            # Once in a while: evaluate the averaged weights, and keep them when they are the best.
            if (
                _is_due(state, config.evaluate_every, is_last)
                and state.step != state.evaluated_step
            ):
                measure = evaluate(
                    learner.average.task,
                    validation.batches(),
                    config=config,
                    device=device,
                    stop=stop,
                )
                if measure is not None:
                    figures = measure.figures()
                    if state.note_evaluation(figures[task.best_figure], is_low=task.best_is_low):
                        save_weights(folder.weights, learner.average.task, header=header)
                    _record(records, watcher, "eval", split="val", step=state.step,
                            epoch=state.step / training.steps_per_epoch, metrics=figures,
                            seconds=clock.seconds())  # fmt: skip

            # Once in a while: save. Also when a signal asks to stop, and at the end.
            if _is_due(state, config.save_every, is_last) or stop.received is not None:
                state.seconds, state.log_bytes = clock.seconds(), records.size()
                checkpoint.save(
                    folder.checkpoints,
                    step=state.step,
                    tensors=learner.tensors(),
                    state=state.to_json(),
                )
            if stop.received is not None:
                raise Stopped(
                    f"stopped at step {state.step}; everything is saved in {folder.path}. "
                    "Continue with --resume",
                    signal_number=stop.received,
                )
            if is_last:
                break

            # One step.
            epoch, batch = next(batches)
            figures = learner.step(
                batch,
                epoch=epoch,
                step=state.step,
                planned_steps=state.planned_steps,
                progress=state.progress,
            )
            _require_finite(figures, step=state.step + 1)
            state.advance(figures)
            watcher.step(state, figures)

            # Once in a while: record, and look whether the planned number of steps still fits.
            if state.step % config.log_every == 0:
                means = state.take_means()
                _record(records, watcher, "train", step=state.step,
                        epoch=state.step / training.steps_per_epoch, **means, lr=learner.lr,
                        images_per_second=clock.rate(state.step) * training.batch_size,
                        seconds=clock.seconds())  # fmt: skip
                planned = pace.planned_steps(
                    step=state.step, planned=state.planned_steps, seconds=clock.seconds()
                )
                if planned != state.planned_steps:
                    _record(records, watcher, "plan", step=state.step, planned_steps=planned)
                    state.planned_steps = planned

    save_weights(folder.last_weights, learner.average.task, header=header)
    return state


class _Clock:
    """Training time over all the processes that worked on this run."""

    def __init__(self, state: RunState) -> None:
        self._spent = state.seconds
        self._start = time.monotonic()
        self._since = (self._start, state.step)

    def seconds(self) -> float:
        return self._spent + time.monotonic() - self._start

    def rate(self, step: int) -> float:
        """Steps a second since the last call."""
        now, (then, before) = time.monotonic(), self._since
        self._since = (now, step)
        return (step - before) / max(now - then, 1e-9)


def _is_due(state: RunState, every: int, is_last: bool) -> bool:  # noqa: FBT001
    return is_last or (state.step > 0 and state.step % every == 0)


def _resume(folder: RunFolder, learner: Learner, records: Records) -> RunState | None:
    found = checkpoint.load_latest(folder.checkpoints)
    if found is None:
        records.cut(0)
        return None
    learner.load(found.tensors)
    state = RunState(**found.state)
    records.cut(state.log_bytes)
    for name in found.damaged:
        text = f"{name} is damaged and was passed over; resumed from step {state.step}"
        records.write("note", step=state.step, text=text)
    return state


def _record(records: Records, watcher: Watcher, kind: str, **fields: Any) -> None:
    records.write(kind, **fields)
    watcher.record(kind, fields)


def _require_finite(figures: Mapping[str, float], *, step: int) -> None:
    broken = [name for name, value in figures.items() if not math.isfinite(value)]
    if broken:
        raise SaccadeError(
            f"{', '.join(broken)} is not finite at step {step}; the last checkpoint is intact. "
            "Lower optim.lr, or set precision=fp32, and start a new run"
        )
