"""What a training gets from a teacher: who it is, what it says, and what of it can be learned."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.config.task import TeachConfig, TeachMethod
from saccade.data.bare import open_bare
from saccade.data.samples import Samples, Source
from saccade.errors import DataError, UsageError, nearest
from saccade.jobs.find import find_job, open_for
from saccade.jobs.job import Job
from saccade.planning.recipe import Recipe
from saccade.planning.teach import seeing, taught
from saccade.run.contract import Contract, Origin, load_contract
from saccade.run.folder import RunFolder, read_json
from saccade.run.start import read_start
from saccade.run.teacher import AnyTeacher, Teacher, width_of
from saccade.serving.engine import Engine
from saccade.serving.load import load_engine
from saccade.tasks.classify import Classify
from saccade.verbs.voice import Voice
from saccade.verbs.wish import Said

SECTION = "teach."
METHODS = tuple(name for name in get_args(TeachMethod) if name != "none")
SHOWN = 40
"""Names of classes in a message."""


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """A teacher, and what is learned from it.

    Attributes:
        job: what the student becomes.
        pictures: to learn from; where they have no labels, with the teacher's answers as labels.
        teacher: to be asked about each batch.
        engine: the same, to be judged beside the student.
        origin: which weights it has.
    """

    job: Job
    pictures: Source
    teacher: Teacher
    engine: Engine
    origin: Origin

    def recipe(self) -> Recipe:
        """How the training is planned."""
        recipe = find_job("classify").recipe({})
        if self.job.name == "classify":
            return taught(recipe, self.teacher)
        return seeing(replace(recipe, targets=self.job.recipe({}).targets), self.teacher)


def open_lessons(
    said: Said,
    folder: RunFolder,
    source: str | Path,
    *,
    device: torch.device,
    is_resumed: bool,
    voice: Voice,
) -> Lessons | None:
    """Reads the teacher that was named, or that of the run that goes on; None where there is none.

    Args:
        said: what was asked for.
        folder: of the run.
        source: the pictures.
        device: where to train, and to ask.
        is_resumed: whether the run goes on.
        voice: says who teaches what.

    Raises:
        UsageError: it cannot teach this, or is not the one that the run began with.
        DataError: it does not know a class of the source.
    """
    contract = load_contract(folder.contract) if is_resumed else None
    found = _asked(said, folder, contract)
    if found is None:
        return None
    named, config = found
    try:
        engine = load_engine(named, device=str(device))
        origin = read_start(named).origin(has_new_head=False)
    except UsageError as error:
        raise UsageError(f"the teacher cannot be read: {error}") from None
    if contract is not None and contract.teacher is not None:
        _require_same(origin, contract.teacher, folder)
    task = _able(engine, named, config)
    has_labels = config.has_labels and open_bare(source).class_names is not None
    config = replace(config, has_labels=has_labels, width=width_of(task, config))
    job = find_job("classify" if has_labels or config.method != "features" else "pretrain")
    if said.job not in (None, job.name):
        raise UsageError(f"a teacher was named for the job {said.job}; here it teaches {job.name}")
    if has_labels or job.name == "pretrain":
        pictures = open_for(job, source)
    else:
        pictures = _answered(open_bare(source), engine, voice)
    class_names = () if config.method == "features" else pictures.class_names or ()
    _require_known(class_names, engine, pictures, teacher=named)
    teacher = Teacher(
        task,
        preprocess=engine.preprocess,
        precision=engine.precision,
        device=engine.device,
        config=config,
        class_names=class_names,
    )
    return Lessons(job=job, pictures=pictures, teacher=teacher, engine=engine, origin=origin)


def describe(lessons: Lessons) -> list[str]:
    """Lines that tell a person who teaches what."""
    config, size = lessons.teacher.config, lessons.teacher.preprocess
    parameters = sum(each.numel() for each in lessons.teacher.task.parameters())
    what = {
        "logits": f"its probabilities at a temperature of {config.temperature:g}",
        "hard": "its answers",
        "features": f"the {config.width} numbers that it sees of "
        + ("each of its patches" if config.of == "patches" else "a picture"),
    }[config.method]
    share = f"{config.weight:.0%} of the loss, labels the rest" if config.has_labels else "alone"
    lines = [
        f"teacher    {lessons.origin.architecture}, {parameters:,} parameters, sees "
        f"{size.width} x {size.height} pixels",
        f"teaches    {what}, {share}",
    ]
    names = lessons.pictures.class_names or ()
    left = [name for name in lessons.engine.class_names if name not in set(names)]
    if left and names and config.method != "features":
        lines.append(f"left out   what it says of classes that are not here: {_listed(left)}")
    return lines


def _asked(
    said: Said, folder: RunFolder, contract: Contract | None
) -> tuple[str, TeachConfig] | None:
    """Which teacher, and what of it; None for a training without one."""
    if contract is not None:
        if contract.teacher is None:
            return None
        return contract.teacher.source, from_json(RunConfig, read_json(folder.config)).teach
    settings = {
        name.removeprefix(SECTION): text
        for name, text in said.settings.items()
        if name.startswith(SECTION)
    }
    if said.teacher is None:
        if settings:
            raise UsageError(
                f"--set {SECTION}{next(iter(settings))} is about a teacher, and there is none; "
                "`saccade distill SOURCE --teacher RUN` has one"
            )
        return None
    return said.teacher, _config(settings)


def _config(settings: Mapping[str, str]) -> TeachConfig:
    if "width" in settings:
        raise UsageError(f"--set {SECTION}width follows from the teacher; leave it out")
    config = from_json(TeachConfig, {"method": "logits", **settings}, where=SECTION)
    if config.method == "none":
        raise UsageError(f"--method is 'none'; {nearest('none', METHODS)}")
    return config


def _require_same(origin: Origin, begun_with: Origin, folder: RunFolder) -> None:
    if origin.sha256 != begun_with.sha256:
        raise UsageError(
            f"{begun_with.source} holds other weights than the teacher that {folder.path} began "
            f"with ({origin.sha256[:12]}..., and they were {begun_with.sha256[:12]}...). Restore "
            "them, or start a new run with another --out"
        )


def _able(engine: Engine, named: str, config: TeachConfig) -> AnyTeacher:
    """The teacher's task, if it can say what is wanted."""
    task = engine.task
    if config.method != "features":
        if isinstance(task, Classify) and task.class_names:
            return task
        raise UsageError(
            f"--method {config.method} learns what a classifier says of a picture, and {named} "
            f"was trained to {engine.job}{' without classes' * isinstance(task, Classify)}; take "
            "the run of a classifier, or --method features"
        )
    if isinstance(task, AnyTeacher):
        return task
    raise UsageError(
        f"{named} was trained to {engine.job}; its vectors cannot be learned here. Take a run of "
        "classify, embed or pretrain, or weights of another library"
    )


def _answered(source: Source, engine: Engine, voice: Voice) -> Source:
    """Pictures without labels, with the teacher's answers in their place."""
    voice.say("  labels     there are none: the teacher's answers stand in for them")
    return replace(
        source,
        class_names=engine.class_names,
        splits={name: _labelled(part, engine) for name, part in source.splits.items()},
        notes=(
            *source.notes,
            "there are no labels: figures say how often the student answers as its teacher does",
        ),
    )


def _labelled(samples: Samples, engine: Engine) -> Samples:
    """What cannot be read keeps class 0: the loader names it and leaves it out."""
    places = {i: place for place, i in enumerate(samples.ids.tolist())}
    labels = np.zeros(len(samples), np.int64)
    for batch in engine.loader(replace(samples, labels=None)).batches():
        answers = engine.answer(batch).argmax(dim=1).cpu().numpy()
        labels[[places[i] for i in batch.ids.tolist()]] = answers
    return replace(samples, labels=labels)


def _require_known(
    class_names: Sequence[str], engine: Engine, source: Source, *, teacher: str
) -> None:
    """Refuses classes of which the teacher can say nothing; fewer, or in another order, will do."""
    known = engine.class_names
    unknown = [name for name in class_names if name not in set(known)]
    if not unknown:
        return
    missing = [name for name in known if name not in set(class_names)]
    close = {name: difflib.get_close_matches(name, known, n=1) for name in unknown[:SHOWN]}
    offers = [f"  {name!r}: did you mean {found[0]!r}?\n" for name, found in close.items() if found]
    raise DataError(
        f"{source.path} has classes that its teacher {teacher} does not know.\n"
        f"  the teacher: {_listed(known)}\n"
        f"  the data:    {_listed(class_names)}\n"
        f"  only the data has:    {_listed(unknown)}\n"
        + (f"  only the teacher has: {_listed(missing)}\n" if missing else "")
        + "".join(offers)
        + "Rename the data's classes to the teacher's names, learn without the labels with "
        "--ignore-labels, or learn what the teacher sees with --method features"
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown}, ... ({len(names)} in all)"
