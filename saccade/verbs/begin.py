"""How a training begins: planned anew, from scratch or from weights, or where a run stopped."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from saccade.config.json import from_json, to_json
from saccade.config.run import RunConfig
from saccade.data.sources import Source
from saccade.data.split import fewest_held_out
from saccade.data.split import split as divide
from saccade.errors import UsageError
from saccade.jobs.job import Job
from saccade.run.checkpoint import checkpoints
from saccade.run.contract import Contract, Origin, load_contract
from saccade.run.folder import RunFolder, read_json
from saccade.run.freeze import find_frozen
from saccade.run.optim.groups import group_table, parameter_groups
from saccade.run.start import Start, has_other_head, initialise, read_start
from saccade.run.world import ALONE, World
from saccade.tasks.build import AnyTask, build_task
from saccade.verbs.planned import plan_training
from saccade.verbs.prepare import (
    Prepared,
    first_contract,
    note_training_pictures,
    pictures_seen,
    prepare,
    require_same_data,
    say_seen,
)
from saccade.verbs.teach import Lessons
from saccade.verbs.voice import Voice
from saccade.verbs.wish import Said, require_same_wish


class Begun(NamedTuple):
    """Everything that the loop needs.

    Attributes:
        config: all numbers.
        contract: the promise, all but the figures.
        data: pictures, ready to be read.
        task: with the weights that training starts from; a checkpoint overrides them.
    """

    config: RunConfig
    contract: Contract
    data: Prepared
    task: AnyTask


def begin(
    said: Said,
    job: Job,
    pictures: Source,
    folder: RunFolder,
    *,
    device: torch.device,
    training_seconds: Callable[[float | None], float | None],
    voice: Voice,
    world: World = ALONE,
    lessons: Lessons | None = None,
) -> Begun:
    """Plans a new run, and makes its folder once everything fits together.

    Args:
        said: what was asked for.
        job: to learn.
        pictures: fit for it.
        folder: to make.
        device: where to train.
        training_seconds: what is left of a budget for training.
        voice: says each number with its reason.
        world: who trains together; this is the first of them.
        lessons: what a teacher adds.

    Raises:
        UsageError: the wish does not fit together, or does not fit the weights.
        DataError: the data, or the weights, are bad.
    """
    start, has_new_head, parts, planned, _ = plan_training(
        said,
        job,
        pictures,
        device=device,
        training_seconds=training_seconds,
        recipe=None if lessons is None else lessons.recipe(),
    )
    class_names = pictures.class_names or ()
    for line in (*parts.notes, *planned.lines):
        voice.say(f"  {line}")
    config = planned.config
    task = build_task(config, class_names=class_names, preprocess=planned.preprocess)
    if start is not None:
        has_new_head = has_new_head or has_other_head(task, start)
        _say_head(start, class_names, has_new_head=has_new_head, voice=voice)
    data = prepare(parts, config, planned.preprocess, voice=voice, world=world)
    contract = first_contract(
        planned,
        pictures,
        data,
        start=start,
        has_new_head=has_new_head,
        teacher=None if lessons is None else lessons.origin,
    )
    if start is not None:
        initialise(task, start, has_new_head=has_new_head)
    frozen = find_frozen(task, config.optim.freeze)
    if frozen.names:
        voice.say(f"  frozen     {frozen.num_parameters:,} of {contract.num_parameters:,} numbers")
    for line in group_table(parameter_groups(task, config.optim)):
        voice.say(f"  optimiser  {line}")
    folder.create({folder.config: to_json(config), folder.contract: contract.to_json()})
    seen = pictures_seen(None if start is None else start.source)
    say_seen(parts, seen, voice)
    note_training_pictures(folder, parts, before=seen)
    return Begun(config, contract, data, task)


def go_on(
    said: Said, pictures: Source, folder: RunFolder, *, voice: Voice, world: World = ALONE
) -> Begun:
    """Reads what a run that stopped was about.

    Raises:
        UsageError: other numbers are asked for now, or the weights it began with are gone before
            there is a checkpoint.
        DataError: the data has changed since.
    """
    config, contract = _on_disk(folder)
    require_same_wish(said, config, contract)
    begun = follow(pictures, folder, voice=voice, world=world)
    if not folder.trained_on.exists():  # it was killed just when it had made its folder
        seen = pictures_seen(None if contract.origin is None else contract.origin.source)
        note_training_pictures(folder, begun.data.parts, before=seen)
    if contract.origin is not None and not checkpoints(folder.checkpoints):
        start = _same_start(contract.origin, folder)
        initialise(begun.task, start, has_new_head=contract.origin.has_new_head)
    return begun


def follow(pictures: Source, folder: RunFolder, *, voice: Voice, world: World) -> Begun:
    """Reads what a run is about that another process has begun; its weights come from there.

    Raises:
        DataError: the data is not the same here.
    """
    config, contract = _on_disk(folder)
    require_same_data(contract, pictures)
    parts = divide(
        pictures,
        val_fraction=config.data.val_fraction,
        test_fraction=config.data.test_fraction,
        seed=config.seed,
        fewest=fewest_held_out(config.job),
    )
    data = prepare(parts, config, contract.preprocess, voice=voice, world=world)
    task = build_task(config, class_names=contract.class_names, preprocess=contract.preprocess)
    return Begun(config, contract, data, task)


def _on_disk(folder: RunFolder) -> tuple[RunConfig, Contract]:
    return from_json(RunConfig, read_json(folder.config)), load_contract(folder.contract)


def _same_start(origin: Origin, folder: RunFolder) -> Start:
    """The weights that a run began with, for one that was stopped before its first checkpoint."""
    start = read_start(origin.source)
    if start.sha256() != origin.sha256:
        raise UsageError(
            f"{folder.path} has no checkpoint yet, and {origin.source} holds other weights than "
            "those it began with; start a new run with another --out"
        )
    return start


def _say_head(
    start: Start, class_names: Sequence[str], *, has_new_head: bool, voice: Voice
) -> None:
    num_classes = len(class_names)
    if not num_classes:
        voice.say(f"  head       {'new' if has_new_head else 'kept'}")
    elif not has_new_head:
        voice.say(f"  head       kept: its {num_classes} classes are those of the data")
    elif start.class_names:
        voice.say(
            f"  head       new, for {num_classes} classes; that of the weights, for "
            f"{len(start.class_names)}, is left behind as --new-head says"
        )
    else:
        voice.say(f"  head       new, for {num_classes} classes; the weights have none")
    for note in start.notes:
        voice.say(f"  {note}")
