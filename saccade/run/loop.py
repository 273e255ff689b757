"""The training loop, top to bottom."""

from collections.abc import Generator, Mapping

import torch

from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.data.loader import Loader, TrainingBatch
from saccade.errors import Stopped
from saccade.run import checkpoint
from saccade.run.evaluate import evaluate
from saccade.run.feed import fed
from saccade.run.folder import RunFolder
from saccade.run.journal import Journal
from saccade.run.learner import Learner, smaller_part
from saccade.run.meter import Meter
from saccade.run.pace import Clock, Pace
from saccade.run.resume import resume
from saccade.run.saver import Saver
from saccade.run.state import RunState
from saccade.run.stop import StopSignals
from saccade.run.trouble import (
    MOST_IN_A_ROW,
    MOST_REWINDS,
    OnNan,
    hopeless,
    not_finite,
    stopped_for,
    what_happened,
)
from saccade.run.weights import save_weights
from saccade.run.world import World


class Loop:
    """Everything that a step needs to know; see ``train`` for the arguments.

    Attributes:
        learner: the task, and what moves its weights.
        state: where the run stands.
    """

    def __init__(
        self,
        learner: Learner,
        training: Loader,
        validation: Loader,
        *,
        config: RunConfig,
        folder: RunFolder,
        header: Mapping[str, str],
        pace: Pace,
        journal: Journal,
        on_nan: OnNan,
        saver: Saver,
        stop: StopSignals,
        world: World,
    ) -> None:
        self.learner = learner
        self.config = config
        self._training, self._validation = training, validation
        self._folder, self._header = folder, header
        self._pace, self._journal, self._on_nan = pace, journal, on_nan
        self._saver, self._stop, self._world = saver, stop, world
        resumed = resume(folder, learner, journal)
        self._saved_step = -1 if resumed is None else resumed.step
        self.state = resumed or RunState(
            planned_steps=config.steps, micro_batch=config.data.micro_batch
        )
        self._rewinds = 0  # to the checkpoint of that step
        self._clock = Clock(spent=self.state.seconds)
        self._batches = self._from_here()
        self._meter = Meter(
            config,
            step=self.state.step,
            pictures_per_step=training.batch_size,
            device=learner.device,
            num_devices=world.size,
        )

    def run(self) -> None:
        """To the end, or to the next signal.

        Raises:
            Stopped: a signal came; everything is saved.
            SaccadeError: the loss is not finite, or saving failed.
        """
        state, config = self.state, self.config
        while True:
            if self._is_due(config.evaluate_every) and state.step != state.evaluated_step:
                self._evaluate()
            received = self._world.most(self._stop.received or 0)  # by any of the processes
            if self._is_due(config.save_every) or received:
                self._save()
            if received:
                self._wait_for_disk()
                raise self._stopped(received)
            if state.step >= state.planned_steps:
                return
            self._saver.look()
            self._step()
            if state.step % config.log_every == 0:
                self._record_means()

    def end_if_told(self) -> None:
        """To be asked once more when everything is saved.

        Raises:
            Stopped: a signal came to any of the processes.
        """
        if received := self._world.most(self._stop.received or 0):
            raise self._stopped(received)

    def _stopped(self, received: int) -> Stopped:
        return Stopped(
            f"stopped at step {self.state.step}; everything is saved in {self._folder.path}. "
            "Continue with --resume",
            signal_number=received,
        )

    def _step(self) -> None:
        with self._meter.waiting():
            epoch, batch, place = next(self._batches)
        self.state.passed_over = place - self.state.step
        self._meter.look(self.learner.plain_task(), batch)
        figures = self._moved(batch, epoch)
        if broken := not_finite(figures):
            self._get_over(broken, batch)
        else:
            self.state.advance(figures)
            self._journal.step(self.state, figures)

    def _moved(self, batch: Batch, epoch: int) -> dict[str, float]:
        """The figures of a step, whose pictures are computed in parts where memory is short."""
        state = self.state
        while True:
            try:
                return self.learner.step(
                    batch,
                    epoch=epoch,
                    step=state.step,
                    planned_steps=state.planned_steps,
                    progress=state.progress,
                    micro_batch=state.micro_batch,
                )
            except torch.OutOfMemoryError as error:
                if not self._world.is_alone:
                    raise  # the others are in the middle of the step
                state.micro_batch = smaller_part(
                    state.micro_batch or len(batch), self.learner.task, error
                )
                self._note(
                    f"out of memory: {state.micro_batch} pictures are computed at a time from now "
                    f"on; a step is still made of {len(batch)}"
                )

    def _get_over(self, broken: list[str], batch: Batch) -> None:
        """Does what is to be done about a step that was not made."""
        state = self.state
        pictures = [self._training.samples.pictures.name(i) for i in batch.ids.tolist()]
        what = what_happened(broken, step=state.step + 1, pictures=pictures)
        if self._on_nan == "rewind":
            return self._rewind(what)
        if self._on_nan == "stop":
            self._save()
            self._wait_for_disk()
            raise stopped_for(what)
        if state.skipped_in_a_row == MOST_IN_A_ROW:
            raise hopeless(what, f"{MOST_IN_A_ROW} steps before it were skipped too")
        state.skip()
        return self._note(f"{what}; skipped")

    def _rewind(self, what: str) -> None:
        """Goes back to the last checkpoint, and from there on with the batches after this one."""
        self._wait_for_disk()
        found = checkpoint.load_latest(self._folder.checkpoints)
        if found is None:
            raise hopeless(what, "there is no checkpoint yet to go back to")
        if self._rewinds == MOST_REWINDS:
            raise hopeless(what, f"going back to step {found.state['step']} did not help")
        batches = self.state.step + self.state.passed_over + 1
        best, best_step = self.state.best_figure, self.state.best_step
        self.learner.load(found.tensors)
        self.state.restore(found.state)
        # The best weights so far are on the disk, and stay there until there are better ones.
        self.state.best_figure, self.state.best_step = best, best_step
        self._saved_step, self._rewinds = self.state.step, self._rewinds + 1
        self._meter.restart(self.state.step)
        self._pace.restart()
        self.state.passed_over = batches - self.state.step
        self._batches = self._from_here()
        self._note(f"{what}; back to step {self.state.step}, with other pictures from there on")

    def _evaluate(self) -> None:
        """Judges the averaged weights, and keeps them when they are the best."""
        task, state = self.learner.average.gathered(), self.state
        # Batch norms saw other pictures in each process; the statistics of the first are kept.
        self._world.take_from_first(task.buffers())
        figures = evaluate(
            task, self.learner.judged(self._validation.shared_batches(most=task.most_judged)),
            config=self.config, device=self.learner.device, stop=self._stop, world=self._world,
        )  # fmt: skip
        if figures is None:
            return
        is_best = state.note_evaluation(figures[task.best_figure], is_low=task.best_is_low)
        if is_best and self._world.is_first:
            save_weights(self._folder.weights, task, header=self._header)
        self._journal.write(
            "eval", split="val", step=state.step, epoch=self._epoch(), metrics=figures,
            seconds=self._clock.seconds(),
        )  # fmt: skip

    def _save(self) -> None:
        """Begins to save, unless the checkpoint of this step is the one that was read."""
        if self.state.step == self._saved_step:
            return
        self._saved_step, self._rewinds = self.state.step, 0
        tensors = self.learner.tensors()  # of all processes
        if self._world.is_first:
            self.state.seconds, self.state.log_bytes = self._clock.seconds(), self._journal.size()
            self._saver.save(step=self.state.step, tensors=tensors, state=self.state.to_json())

    def _wait_for_disk(self) -> None:
        self._saver.finish()
        self._world.wait()  # until the first has written it; one that ends would take all along

    def _record_means(self) -> None:
        """Records, and looks whether the planned number of steps still fits."""
        state = self.state
        self._journal.write(
            "train", step=state.step, epoch=self._epoch(), **state.take_means(), lr=self.learner.lr,
            **self._meter.take(state.step), seconds=self._clock.seconds(),
        )  # fmt: skip
        planned = self._pace.planned_steps(
            step=state.step, planned=state.planned_steps, seconds=self._clock.seconds()
        )
        planned = self._world.from_first(planned)
        if planned != state.planned_steps:
            self._journal.write("plan", step=state.step, planned_steps=planned)
            state.planned_steps = planned

    def _from_here(self) -> Generator[TrainingBatch, None, None]:
        start = self.state.step + self.state.passed_over
        batches = self._training.training_batches(self.config.seed, start_step=start)
        return fed(batches, self.learner.device)

    def _is_due(self, every: int) -> bool:
        step = self.state.step
        return step >= self.state.planned_steps or (step > 0 and step % every == 0)

    def _epoch(self) -> float:
        return self.state.step / self._training.steps_per_epoch

    def _note(self, text: str) -> None:
        self._journal.write("note", step=self.state.step, text=text)
