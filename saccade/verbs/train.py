"""train: pictures in folders -> a run folder."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from saccade.data.annotated import guess_job
from saccade.errors import UsageError
from saccade.jobs.find import find_job, open_for
from saccade.jobs.job import Job
from saccade.reporting.wording import duration, figure_name
from saccade.run import train as loop
from saccade.run.contract import load_contract
from saccade.run.device import choose_device
from saccade.run.environment import attention_path, describe
from saccade.run.folder import RunFolder, write_json
from saccade.serving.load import load_engine
from saccade.verbs.begin import begin, go_on
from saccade.verbs.finish import Finished, finish
from saccade.verbs.voice import Voice
from saccade.verbs.wish import Said, make_wish

FINISHING_SECONDS = 12.0
"""Of a budget, kept for the last evaluation, the pictures and the report."""


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What training came to.

    Attributes:
        run: the run folder.
        job: what was learned.
        split: on which pictures the figures were taken: ``test``; ``val`` where there is none;
            ``train`` where there were too few pictures to hold any back.
        n: how many pictures that were.
        metrics: the figures, by name, as fractions.
        intervals: their 95 % confidence intervals.
        headline: the name of the figure that people look at first.
        steps: optimiser steps made.
        seconds: wall clock of the whole call.
        report: the page to open.
    """

    run: Path
    job: str
    split: str
    n: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    headline: str
    steps: int
    seconds: float
    report: Path


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
    resume: bool = False,
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
        resume: go on with the run in ``out`` from its newest checkpoint. Its numbers are read from
            there; saying them again is allowed, saying others is refused.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: the call does not fit together; nothing was written.
        DataError: the data is bad.
        Stopped: a signal came; everything is saved.
    """
    started = time.monotonic()
    voice = Voice(is_quiet=is_quiet)
    torch_device = choose_device(device)
    folder = RunFolder(out)
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
    )
    make_wish(said)  # refuses what does not fit together before the data is looked at
    folder.require() if resume else folder.refuse_existing()
    if folder.path.resolve().is_relative_to(Path(source).resolve()):
        raise UsageError(
            f"{out} lies inside {source}, so the run would become a part of its own data; choose "
            "an --out beside it"
        )
    chosen = _job_of(folder, source, job, is_resumed=resume)
    pictures = open_for(chosen, source)
    voice.head(pictures.describe()[0])
    if job is None and chosen.name != "classify":
        voice.say(f"  job        {chosen.name}, which this source is made for; --job names another")
    for line in pictures.describe()[1:]:
        voice.say(f"  {line}")

    def training_seconds(budget_seconds: float | None) -> float | None:
        """What is left of a budget for training, all processes of the run together."""
        if budget_seconds is None:
            return None
        return max(1.0, budget_seconds - FINISHING_SECONDS - (time.monotonic() - started))

    if resume:
        config, contract, data, task = go_on(said, pictures, folder, voice=voice)
    else:
        config, contract, data, task = begin(
            said,
            chosen,
            pictures,
            folder,
            device=torch_device,
            training_seconds=training_seconds,
            voice=voice,
        )
    attention = attention_path(
        config.model,
        image_size=config.data.image_size,
        device=torch_device,
        precision=config.precision,
    )
    about = describe(torch_device, precision=config.precision, attention=attention)
    write_json(folder.environment, about)
    voice.head(f"Training {contract.model_name}, {contract.num_parameters:,} parameters")
    with voice.training() as watcher:
        state = loop.train(
            task,
            data.training,
            data.validation,
            config=config,
            folder=folder,
            header=contract.header(),
            device=torch_device,
            training_seconds=training_seconds(config.budget_seconds),
            watcher=watcher,
        )
    engine = load_engine(folder.path, device=device)
    finished = finish(folder, chosen, engine, data, voice=voice)
    result = _result(folder, finished, job=config.job, steps=state.step, started=started)
    _conclude(result, voice)
    return result


def _job_of(folder: RunFolder, source: str | Path, job: str | None, *, is_resumed: bool) -> Job:
    """The job that was named; else that of the run that goes on, or what the source is for."""
    if is_resumed:
        return find_job(load_contract(folder.contract).job)
    return find_job(job or guess_job(source) or "classify")


def _result(
    folder: RunFolder, finished: Finished, *, job: str, steps: int, started: float
) -> TrainResult:
    return TrainResult(
        run=folder.path,
        job=job,
        split=finished.split,
        n=finished.judgement.n,
        metrics={name: figure.value for name, figure in finished.judgement.metrics.items()},
        intervals={
            name: (figure.low, figure.high) for name, figure in finished.judgement.metrics.items()
        },
        headline=finished.judgement.headline,
        steps=steps,
        seconds=time.monotonic() - started,
        report=finished.report,
    )


def _conclude(result: TrainResult, voice: Voice) -> None:
    low, high = result.intervals[result.headline]
    voice.head(
        f"{figure_name(result.headline)} {result.metrics[result.headline]:.4f} on {result.n:,} "
        f"{result.split} pictures "
        f"(95 % interval {low:.4f} to {high:.4f}), {duration(result.seconds)}"
    )
    voice.say(f"  report:  {result.report}")
    voice.say(f"  next:    saccade predict {result.run} PICTURES --out predictions.csv")
