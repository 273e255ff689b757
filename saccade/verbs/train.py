"""train: pictures in folders -> a run folder."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from saccade.backbones.sizes import parse_name
from saccade.config.json import from_json, override, to_json
from saccade.config.run import RunConfig
from saccade.data.sources import labelled, open_source
from saccade.data.split import split as divide
from saccade.errors import UsageError
from saccade.recipes.budget import DEFAULT_BUDGET_SECONDS, parse_seconds
from saccade.recipes.facts import look
from saccade.recipes.plan import Wish, plan
from saccade.run import train as loop
from saccade.run.contract import Contract, load_contract
from saccade.run.device import choose_device
from saccade.run.environment import attention_path, describe
from saccade.run.folder import RunFolder, read_json, write_json
from saccade.serving.model import load
from saccade.tasks.build import build_task
from saccade.verbs.finish import Finished, finish
from saccade.verbs.prepare import (
    first_contract,
    note_training_pictures,
    num_threads,
    prepare,
    require_same_data,
)
from saccade.verbs.voice import Voice, duration

DEFAULT_MODEL = "rag"

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
    steps: int
    seconds: float
    report: Path


def train(
    source: str | Path,
    out: str | Path,
    *,
    model: str | None = None,
    budget: str | None = None,
    epochs: float | None = None,
    steps: int | None = None,
    settings: Mapping[str, str] | None = None,
    seed: int | None = None,
    resume: bool = False,
    device: str | None = None,
    is_quiet: bool = False,
) -> TrainResult:
    """Learns to classify pictures.

    Args:
        source: a class folder (one folder of pictures per class, with or without train/val/test
            above), or IDX or npz arrays.
        out: the run folder to make; one that exists is refused, unless ``resume``.
        model: a family (``rag``), a size (``rag-nano``) or a full name (``rag-nano4``); what is
            left open is chosen from the data and the budget. ``rag`` when nothing is said.
        budget: wall clock for the whole call, such as ``10m``, which is also the default when
            neither it nor ``epochs`` nor ``steps`` is given.
        epochs, steps: how long to train instead of a budget.
        settings: any number of the config by its dotted name, such as ``{"optim.lr": "3e-4"}``.
        seed: of everything random; 0 when nothing is said.
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
    wish = _wish(model or DEFAULT_MODEL, budget, epochs, steps, dict(settings or {}), seed or 0)
    folder.require() if resume else folder.refuse_existing()
    if folder.path.resolve().is_relative_to(Path(source).resolve()):
        raise UsageError(
            f"{out} lies inside {source}, so the run would become a part of its own data; choose "
            "an --out beside it"
        )
    pictures = labelled(open_source(source))
    voice.head(pictures.describe()[0])
    for line in pictures.describe()[1:]:
        voice.say(f"  {line}")

    if resume:
        config = from_json(RunConfig, read_json(folder.config))
        contract = load_contract(folder.contract)
        _require_same_wish(wish, config, contract, model=model, budget=budget, seed=seed)
        require_same_data(contract, pictures)
        parts = divide(
            pictures,
            val_fraction=config.data.val_fraction,
            test_fraction=config.data.test_fraction,
            seed=config.seed,
        )
        data = prepare(parts, config, contract.preprocess, voice=voice)
    else:
        shares = wish.held_out()
        parts = divide(
            pictures,
            val_fraction=shares.val_fraction,
            test_fraction=shares.test_fraction,
            seed=wish.seed,
        )
        planned = plan(
            wish,
            look(parts.train, num_classes=len(pictures.class_names or ())),
            source=str(source),
            training_seconds=_training_seconds(wish.budget_seconds, started),
            device=torch_device,
            num_threads=num_threads(),
        )
        for line in (*parts.notes, *planned.lines):
            voice.say(f"  {line}")
        config = planned.config
        data = prepare(parts, config, planned.preprocess, voice=voice)
        contract = first_contract(planned, pictures, data)
        folder.create({folder.config: to_json(config), folder.contract: contract.to_json()})
        note_training_pictures(folder, parts)

    task = build_task(config, class_names=contract.class_names, preprocess=contract.preprocess)
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
            training_seconds=_training_seconds(config.budget_seconds, started),
            watcher=watcher,
        )
    finished = finish(folder, load(folder.path, device=device), data, voice=voice)
    result = _result(folder, finished, job=config.job, steps=state.step, started=started)
    _conclude(result, voice)
    return result


def _wish(
    model: str,
    budget: str | None,
    epochs: float | None,
    steps: int | None,
    settings: dict[str, str],
    seed: int,
) -> Wish:
    given = {"budget": budget, "epochs": epochs, "steps": steps}
    named = [f"--{name} {value}" for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} were given; one of them says how long to train")
    for name, value in (("epochs", epochs), ("steps", steps)):
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"--{name} is {value}; it must be a number above 0")
    for name, option in (("steps", "--steps"), ("budget_seconds", "--budget")):
        if name in settings:
            raise UsageError(f"--set {name} cannot say how long to train; use {option}")
    seconds = parse_seconds(budget) if budget is not None else DEFAULT_BUDGET_SECONDS
    return Wish(
        model=model,
        budget_seconds=seconds if epochs is None and steps is None else None,
        epochs=epochs,
        steps=steps,
        settings=settings,
        seed=_seed(settings, seed),
    )


def _seed(settings: dict[str, str], seed: int) -> int:
    """``--set seed=3`` and ``--seed 3`` are one thing: the split depends on it too."""
    text = settings.get("seed", str(seed))
    if not text.isdecimal() or int(text) >= 2**63:
        raise UsageError(f"seed is {text!r}; expected a whole number from 0 to below 2**63")
    return int(text)


def _require_same_wish(
    wish: Wish,
    config: RunConfig,
    contract: Contract,
    *,
    model: str | None,
    budget: str | None,
    seed: int | None,
) -> None:
    """``--resume`` may repeat the numbers of the run it goes on with, but not change them."""
    stored = parse_name(contract.model_name)
    named = parse_name(model) if model is not None else stored
    changed = {
        "--model": any(a is not None and a != b for a, b in zip(named, stored, strict=True)),
        "--budget": budget is not None and wish.budget_seconds != config.budget_seconds,
        "--seed": seed is not None and seed != config.seed,
        "--steps": wish.steps is not None and wish.steps != config.steps,
        "--set": override(config, wish.settings) != config,
    }
    if any(changed.values()):
        options = ", ".join(option for option, is_changed in changed.items() if is_changed)
        raise UsageError(
            f"--resume goes on with the numbers in the run's config.json, and {options} asks for "
            "others; leave that out, or start a new run with another --out"
        )


def _training_seconds(budget_seconds: float | None, started: float) -> float | None:
    """What is left of a budget for training, all processes of the run together."""
    if budget_seconds is None:
        return None
    return max(1.0, budget_seconds - FINISHING_SECONDS - (time.monotonic() - started))


def _result(
    folder: RunFolder, finished: Finished, *, job: str, steps: int, started: float
) -> TrainResult:
    return TrainResult(
        run=folder.path,
        job=job,
        split=finished.split,
        n=finished.result.n,
        metrics={name: figure.value for name, figure in finished.result.metrics.items()},
        intervals={
            name: (figure.low, figure.high) for name, figure in finished.result.metrics.items()
        },
        steps=steps,
        seconds=time.monotonic() - started,
        report=finished.report,
    )


def _conclude(result: TrainResult, voice: Voice) -> None:
    low, high = result.intervals["top1"]
    voice.head(
        f"top-1 {result.metrics['top1']:.4f} on {result.n:,} {result.split} pictures "
        f"(95 % interval {low:.4f} to {high:.4f}), {duration(result.seconds)}"
    )
    voice.say(f"  report:  {result.report}")
    voice.say(f"  next:    saccade predict {result.run} PICTURES --out predictions.csv")
