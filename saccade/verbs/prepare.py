"""From a divided source to loaders that are ready, and to the first version of the contract."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import VideoConfig
from saccade.data.clips.lengths import require_long_enough
from saccade.data.fingerprint import fingerprint, picture_hashes
from saccade.data.loader import Loader
from saccade.data.reading import example_bytes
from saccade.data.samples import Samples, Source, count, has_objects
from saccade.data.split import Split
from saccade.errors import DataError
from saccade.planning.plan import Plan
from saccade.run.contract import Contract, DataRecord, Origin, require_same_classes
from saccade.run.environment import versions
from saccade.run.folder import RunFolder, write_atomic
from saccade.run.start import LESSON, Start, find_run
from saccade.run.world import ALONE, World
from saccade.tasks.build import build_task
from saccade.verbs.voice import Voice
from saccade.version import __version__

NUM_BAD_SHOWN = 10
"""Unreadable pictures named on the terminal."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The parts of a source, decoded or ready to be.

    Attributes:
        parts: which pictures are where.
        training: the pictures to learn from.
        validation: those that choose the best weights; the training pictures themselves where a
            source is too small to hold any back.
        test: those of the final figures, or None.
    """

    parts: Split
    training: Loader
    validation: Loader
    test: Loader | None

    def judged(self) -> dict[str, Loader]:
        """What figures are taken on, under its true name; the last one is the headline."""
        first = "val" if self.validation is not self.training else "train"
        return {first: self.validation} | ({"test": self.test} if self.test is not None else {})

    def bad(self) -> dict[str, str]:
        """All unreadable pictures found so far, and why."""
        loaders = [self.training, self.validation, *([self.test] if self.test else [])]
        return {name: reason for loader in loaders for name, reason in loader.bad.items()}


def prepare(
    parts: Split,
    config: RunConfig,
    preprocess: Preprocess,
    *,
    voice: Voice,
    world: World = ALONE,
) -> Prepared:
    """Decodes what fits in memory, and names pictures that cannot be read.

    Raises:
        UsageError: several processes cannot share a batch evenly.
        DataError: too many pictures cannot be read, too many clips are too short, or the pictures
            to judge by have no objects.
    """

    def loader(samples: Samples, what: str) -> Loader:
        made = Loader(
            samples,
            preprocess,
            batch_size=config.data.batch_size,
            num_threads=config.data.num_threads,
            cache_bytes=cache_bytes if fits else 0,
            # All parts together are judged below; one picture is much of a small part.
            max_bad_fraction=1.0 if fits else config.data.max_bad_fraction,
            rank=world.rank,
            num_ranks=world.size,
        )
        made.prepare(voice.counting(f"reading {what}"))
        return made

    world.share_of(config.data.batch_size)
    if isinstance(config.task, VideoConfig) and preprocess.short_clips == "refuse":
        require_long_enough(
            filter(None, (parts.train, parts.val, parts.test)),
            asked=preprocess.num_frames,
            spares=config.task.spares,
            max_bad_fraction=config.data.max_bad_fraction,
        )
    total = sum(len(part) for part in (parts.train, parts.val, parts.test) if part is not None)
    cache_bytes = int(config.data.cache_gib * 2**30) // world.local_size
    fits = total * example_bytes(parts.train, preprocess) <= cache_bytes
    things = f"{parts.train.noun}s"
    training = loader(parts.train, f"training {things}")
    prepared = Prepared(
        parts=parts,
        training=training,
        validation=loader(parts.val, f"validation {things}") if parts.val else training,
        test=loader(parts.test, f"test {things}") if parts.test else None,
    )
    bad = prepared.bad()
    say_bad(bad, voice, noun=parts.train.noun)
    if len(bad) > config.data.max_bad_fraction * total:
        named = "".join(
            f"\n  {name}: {reason}" for name, reason in list(bad.items())[:NUM_BAD_SHOWN]
        )
        raise DataError(
            f"{len(bad)} of {total} {things} ({len(bad) / total:.1%}) cannot be read; "
            f"{config.data.max_bad_fraction:.1%} are allowed (data.max_bad_fraction). Repair or "
            f"remove them, or allow more. The first:{named}"
        )
    for what, part in (("validation", parts.val or parts.train), ("test", parts.test)):
        if part is not None and not has_objects(part):
            raise DataError(
                f"none of the {len(part)} {what} pictures has an object, so nothing could be "
                "measured on them; give more pictures with objects, hold out a larger share (--set "
                f"data.{'test' if what == 'test' else 'val'}_fraction=0.3), or take another --seed"
            )
    return prepared


def say_bad(bad: Mapping[str, str], voice: Voice, *, noun: str) -> None:
    """Counts and names what cannot be read; the report and the contract list all of it."""
    if bad:
        are = "are" if len(bad) > 1 else "is"
        voice.say(f"  {count(len(bad), noun)} cannot be read and {are} left out:")
    for name, reason in list(bad.items())[:NUM_BAD_SHOWN]:
        voice.say(f"    {name}: {reason}")


def first_contract(
    planned: Plan,
    source: Source,
    data: Prepared,
    *,
    start: Start | None,
    has_new_head: bool,
    teacher: Origin | None = None,
) -> Contract:
    """The contract as far as it is known before training: all but the figures.

    Args:
        planned: the config and how it came about.
        source: the data.
        data: the same, divided.
        start: the weights that training starts from, if it does not start from scratch.
        has_new_head: whether their head is left behind.
        teacher: who says what to learn.
    """
    class_names = source.class_names or ()
    config = planned.config
    task = build_task(config, class_names=class_names, preprocess=planned.preprocess)
    named = {"train": data.parts.train, "val": data.parts.val, "test": data.parts.test}
    present = {name: part for name, part in named.items() if part is not None}
    return Contract(
        saccade=__version__,
        versions=versions(),
        job=config.job,
        model_name=planned.model_name,
        class_names=class_names,
        preprocess=planned.preprocess,
        data=DataRecord(
            source=source.path,
            kind=source.kind,
            fingerprint=fingerprint(source),
            splits={name: len(part) for name, part in present.items()},
            class_counts={
                name: np.bincount(part.labels, minlength=len(class_names)).tolist()
                for name, part in present.items()
                if part.labels is not None
            },
            notes=[*source.notes, *data.parts.notes, *planned.notes],
            ignored=[(entry.name, entry.reason) for entry in source.ignored],
            bad=data.bad(),
        ),
        num_parameters=sum(
            parameter.numel()
            for name, parameter in task.named_parameters()
            if not name.startswith(LESSON)
        ),
        seed=config.seed,
        licence="not stated" if start is None else start.licence,
        origin=None if start is None else start.origin(has_new_head=has_new_head),
        teacher=teacher,
    )


def note_training_pictures(folder: RunFolder, parts: Split, *, before: Iterable[str]) -> None:
    """Remembers which pictures were learned from or chose the weights, for ``evaluate``.

    Args:
        folder: of the run.
        parts: what is learned from now.
        before: what the weights had seen when they came, by ``pictures_seen``.
    """
    seen = [picture_hashes(part) for part in (parts.train, parts.val) if part is not None]
    lines = sorted({*before, *(line for hashes in seen for line in hashes)})
    write_atomic(folder.trained_on, "\n".join(lines).encode())


def pictures_seen(source: str | None) -> frozenset[str]:
    """Hashes of the pictures that weights have learned from, as far as that is known.

    Args:
        source: of the weights; None: there were none.
    """
    run = None if source is None else find_run(source)
    if run is None or not run.trained_on.is_file():
        return frozenset()
    return frozenset(run.trained_on.read_text().split())


def say_seen(parts: Split, before: frozenset[str], voice: Voice) -> None:
    """Warns when test pictures were learned from before; the same seed holds out the same ones."""
    if parts.test is None or not before:
        return
    num_seen = sum(line in before for line in picture_hashes(parts.test))
    if num_seen:
        voice.say(
            f"  {num_seen:,} of {len(parts.test):,} test {parts.test.noun}s were trained on by the "
            "weights, so figures on them will be too kind; take the --seed of that run"
        )


def require_same_data(contract: Contract, source: Source) -> None:
    """Refuses to resume a run on other pictures.

    Raises:
        DataError: classes or pictures differ from those the run was started on.
    """
    require_same_classes(contract.class_names, source.class_names or (), source=source.path)
    if fingerprint(source) != contract.data.fingerprint:
        raise DataError(
            f"{source.path} is not the data this run was started on: {source.noun}s were added, "
            "removed, renamed or changed since. Restore them, or start a new run with another --out"
        )
