"""train: pictures in folders -> a run folder."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from saccade.config.json import to_json
from saccade.data.annotated import guess_job
from saccade.data.sources import Source
from saccade.errors import UsageError
from saccade.jobs.find import find_job, open_for
from saccade.jobs.job import Job
from saccade.reporting.trackers import Trackers, check_trackers
from saccade.run import train as loop
from saccade.run.contract import load_contract
from saccade.run.device import choose_device
from saccade.run.environment import attention_path, describe
from saccade.run.folder import RunFolder, write_json
from saccade.run.trouble import OnNan, on_nan_named
from saccade.run.watcher import Watchers
from saccade.run.world import World, joined
from saccade.serving.load import load_engine
from saccade.verbs.begin import Begun, begin, follow, go_on
from saccade.verbs.finish import finish
from saccade.verbs.teach import describe as describe_lessons
from saccade.verbs.teach import open_lessons
from saccade.verbs.trained import TrainResult, conclude
from saccade.verbs.voice import Voice
from saccade.verbs.wish import Said, make_wish

FINISHING_SECONDS = 12.0
"""Of a budget, kept for the last evaluation, the pictures and the report."""


def train(
    source: str | Path,
    out: str | Path,
    *,
    job: str | None = None,
    model: str | None = None,
    budget: str | None = None,
    epochs: float | None = None,
    steps: int | None = None,
    settings: Mapping[str, str] | None = None,
    seed: int | None = None,
    init: str | Path | None = None,
    new_head: bool = False,
    teacher: str | Path | None = None,
    resume: bool = False,
    on_nan: str = "stop",
    track: Sequence[str] = (),
    device: str | None = None,
    is_quiet: bool = False,
) -> TrainResult:
    """Learns a job from pictures.

    Args:
        source: what the job learns from: for classification a class folder (one folder of
            pictures per class, with or without train/val/test above), or IDX or npz arrays; see
            docs/data.md for all of them.
        out: the run folder to make; one that exists is refused, unless ``resume``.
        job: ``classify``, ``detect``, ``segment``, ``video``, ``embed``, ``generate``,
            ``translate`` or ``pretrain``; None: what the source is made for.
        model: a family (``rag``), a size (``rag-nano``) or a full name (``rag-nano4``); what is
            left open is chosen from the data and the budget. When nothing is said, what suits the
            job.
        budget: wall clock for the whole call, such as ``10m``, which is also the default when
            neither it nor ``epochs`` nor ``steps`` is given.
        epochs, steps: how long to train instead of a budget.
        settings: any number of the config by its dotted name, such as ``{"optim.lr": "3e-4"}``.
        seed: of everything random; 0 when nothing is said.
        init: weights to start from: a run folder, or those of another library (see ``load``). They
            decide the model, its channels and the normalisation of its input.
        new_head: leave the head of these weights behind and learn other classes.
        teacher: a trained model to learn from besides labels, or instead; see ``distill``.
        resume: go on with the run in ``out`` from its newest checkpoint. Its numbers are read from
            there; saying them again is allowed, saying others is refused.
        on_nan: what to do when a loss or a gradient is not a finite number; such a step is never
            made. ``stop``; ``skip`` that batch; or ``rewind`` to the last checkpoint and go on
            with other batches.
        track: who is told the figures besides: ``tensorboard``, ``wandb``, ``mlflow``; see
            ``saccade.reporting.trackers``. A run that goes on tells those it told before.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: the call does not fit together; nothing was written.
        DataError: the data is bad.
        Stopped: a signal came; everything is saved.
    """
    started = time.monotonic()
    torch_device = choose_device(device)
    said = Said(
        job=job,
        model=model,
        budget=budget,
        epochs=epochs,
        steps=steps,
        settings=settings or {},
        seed=seed,
        init=None if init is None else str(init),
        new_head=new_head,
        teacher=None if teacher is None else str(teacher),
    )
    answer_to_nan = on_nan_named(on_nan)
    check_trackers(track)
    make_wish(said)  # refuses what does not fit together before the data is looked at
    with joined(torch_device) as world:
        run = _Run(
            RunFolder(out),
            source,
            said,
            voice=Voice(is_quiet=is_quiet or not world.is_first),
            device=torch_device,
            world=world,
            started=started,
        )
        try:
            run.train(is_resumed=resume, on_nan=answer_to_nan, track=track)
            if world.is_first:
                result = run.finish()
                world.tell(result.to_json())
            else:
                result = TrainResult.from_json(world.tell(""))
        finally:
            run.close()
    conclude(result, run.voice)
    return result


class _Run:
    """One call of ``train``, in each of the processes that train together."""

    def __init__(
        self,
        folder: RunFolder,
        source: str | Path,
        said: Said,
        *,
        voice: Voice,
        device: torch.device,
        world: World,
        started: float,
    ) -> None:
        self.folder, self.source, self.said = folder, source, said
        self.voice, self.device, self.world = voice, device, world
        self.started = started
        self.steps = 0
        self.trackers: Trackers | None = None

    def train(self, *, is_resumed: bool, on_nan: OnNan, track: Sequence[str]) -> None:
        """Begins or goes on, to the last step."""
        folder, voice, world = self.folder, self.voice, self.world
        # torchrun repeats the command when a process has died.
        is_resumed = is_resumed or (world.is_restarted and folder.config.exists())
        if world.is_first:
            folder.require() if is_resumed else folder.refuse_existing()
        if folder.path.resolve().is_relative_to(Path(self.source).resolve()):
            raise UsageError(
                f"{folder.path} lies inside {self.source}, so the run would become a part of its "
                "own data; choose an --out beside it"
            )
        self.lessons = open_lessons(
            self.said,
            folder,
            self.source,
            device=self.device,
            is_resumed=is_resumed,
            voice=voice,
        )
        if self.lessons is None:
            self.job = _job_of(folder, self.source, self.said.job, is_resumed=is_resumed)
            pictures = open_for(self.job, self.source)
        else:
            self.job, pictures = self.lessons.job, self.lessons.pictures
        voice.head(pictures.describe()[0])
        if self.said.job is None and self.job.name != "classify" and self.lessons is None:
            voice.say(
                f"  job        {self.job.name}, which this source is made for; --job names another"
            )
        for line in pictures.describe()[1:]:
            voice.say(f"  {line}")
        for line in () if self.lessons is None else describe_lessons(self.lessons):
            voice.say(f"  {line}")
        config, contract, self.data, task = self._begun(pictures, is_resumed=is_resumed)
        attention = attention_path(
            config.model,
            image_size=config.data.image_size,
            device=self.device,
            precision=config.precision,
        )
        if world.is_first:
            about = describe(self.device, precision=config.precision, attention=attention)
            write_json(folder.environment, about)
            self.trackers = Trackers(folder.path, to_json(config), track, say=voice.say)
        voice.head(f"Training {contract.model_name}, {contract.num_parameters:,} parameters")
        if not world.is_alone:
            voice.say(f"  processes  {world.size}, each with its share of every batch")
        with voice.training(self.data.training.samples.noun) as watcher:
            state = loop.train(
                task,
                self.data.training,
                self.data.validation,
                config=config,
                folder=folder,
                header=contract.header(),
                device=self.device,
                training_seconds=self._seconds_left(
                    config.budget_seconds, judging=config.judging_seconds
                ),
                watcher=Watchers(watcher, *filter(None, [self.trackers])),
                on_nan=on_nan,
                world=world,
                teacher=None if self.lessons is None else self.lessons.teacher,
            )
        self.steps = state.step

    def finish(self) -> TrainResult:
        """Figures, pictures, report and card, of the best weights."""
        engine = load_engine(self.folder.path, device=str(self.device))
        finished = finish(
            self.folder, self.job, engine, self.data, voice=self.voice, lessons=self.lessons
        )
        judgement = finished.judgement
        if self.trackers is not None:
            figures = {f"{finished.split}/{k}": x.value for k, x in judgement.metrics.items()}
            self.trackers.log(figures, step=self.steps)
        return TrainResult(
            run=self.folder.path,
            job=self.job.name,
            split=finished.split,
            n=judgement.n,
            metrics={name: figure.value for name, figure in judgement.metrics.items()},
            intervals={
                name: (figure.low, figure.high) for name, figure in judgement.metrics.items()
            },
            headline=judgement.headline,
            steps=self.steps,
            seconds=time.monotonic() - self.started,
            report=finished.report,
        )

    def close(self) -> None:
        """Sends what trackers still hold."""
        if self.trackers is not None:
            self.trackers.close()

    def _begun(self, pictures: Source, *, is_resumed: bool) -> Begun:
        folder, voice, world = self.folder, self.voice, self.world
        if not world.is_first:
            world.wait()  # until the folder is there
            return follow(pictures, folder, voice=voice, world=world)
        if is_resumed:
            begun = go_on(self.said, pictures, folder, voice=voice, world=world)
        else:
            begun = begin(
                self.said,
                self.job,
                pictures,
                folder,
                device=self.device,
                training_seconds=self._seconds_left,
                voice=voice,
                world=world,
                lessons=self.lessons,
            )
        world.wait()
        return begun

    def _seconds_left(self, budget_seconds: float | None, *, judging: float = 0.0) -> float | None:
        """Of a budget for training, all processes of the run one after the other."""
        if budget_seconds is None:
            return None
        kept = FINISHING_SECONDS + judging
        return max(1.0, budget_seconds - kept - (time.monotonic() - self.started))


def _job_of(folder: RunFolder, source: str | Path, job: str | None, *, is_resumed: bool) -> Job:
    """The job that was named; else that of the run that goes on, or what the source is for."""
    if is_resumed:
        return find_job(load_contract(folder.contract).job)
    return find_job(job or guess_job(source) or "classify")
