"""evaluate: a model and labelled pictures -> figures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.data.fingerprint import fingerprint, picture_hashes
from saccade.data.loader import Loader
from saccade.data.relabel import relabel
from saccade.data.samples import Samples, Source, count
from saccade.data.split import fewest_held_out
from saccade.data.split import split as divide
from saccade.errors import UsageError
from saccade.jobs.find import find_job, open_for
from saccade.recipes.classify import MAX_BAD_FRACTION
from saccade.run.contract import load_contract, require_same_classes
from saccade.run.folder import RunFolder, read_json
from saccade.run.start import find_run
from saccade.serving.engine import BATCH_SIZE, Engine
from saccade.serving.load import load_engine
from saccade.verbs.voice import Voice


@dataclass(frozen=True, kw_only=True)
class EvaluateResult:
    """How a model did.

    Attributes:
        run: the run folder, or the weights, as they were named.
        job: what the model does.
        split: which part of the source was used: ``test``, ``val``, or ``all``.
        n: how many pictures that were.
        metrics: the figures, by name, as fractions.
        intervals: their 95 % confidence intervals.
        headline: the name of the figure that people look at first.
        details: all that is known, as plain data: tables, and for classes the confusion matrix.
        bad: pictures that could not be read, and why.
    """

    run: str
    job: str
    split: str
    n: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    headline: str
    details: dict[str, Any]
    bad: dict[str, str]


def evaluate(
    run: str | Path,
    source: str | Path,
    *,
    device: str | None = None,
    weights: str = "best",
    is_quiet: bool = False,
) -> EvaluateResult:
    """Judges a model on labelled pictures.

    On the very source the run was trained on, only the part held out for testing is used. On
    another source its test split is used, or its val split, or all of it; pictures that training
    saw are recognised by their content and left out.

    Args:
        run: the run folder, or weights of another library; see ``load``.
        source: as for ``train``; its classes must be the model's, in any order.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        weights: ``best`` (by validation) or ``last``.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model or source.
        DataError: other classes (both lists are shown), or too many unreadable pictures.
    """
    voice = Voice(is_quiet=is_quiet)
    engine = load_engine(run, device=device, weights=weights)
    for note in engine.notes:
        voice.say(note)
    job = find_job(engine.job)
    pictures = open_for(job, source)
    class_names = pictures.class_names or ()
    if engine.class_names or class_names:
        _require_classes(engine, pictures, run=run)
    folder = find_run(run)
    max_bad_fraction = MAX_BAD_FRACTION
    if folder is None:
        part, samples = _best_part(pictures)
    else:
        config = from_json(RunConfig, read_json(folder.config))
        max_bad_fraction = config.data.max_bad_fraction
        part, samples = _not_trained_on(folder, config, pictures, voice)
    voice.say(f"evaluating on {count(len(samples), samples.noun)} ({part} of {pictures.path})")
    loader = Loader(
        relabel(samples, class_names, engine.class_names),
        engine.preprocess,
        batch_size=BATCH_SIZE,
        num_threads=engine.num_threads,
        cache_bytes=0,
        max_bad_fraction=max_bad_fraction,
    )
    loader.prepare()
    judgement = job.judge(engine, loader)
    return EvaluateResult(
        run=str(run),
        job=engine.job,
        split=part,
        n=judgement.n,
        metrics={name: figure.value for name, figure in judgement.metrics.items()},
        intervals={name: (figure.low, figure.high) for name, figure in judgement.metrics.items()},
        headline=judgement.headline,
        details=judgement.to_json(),
        bad=dict(loader.bad),
    )


def _require_classes(engine: Engine, pictures: Source, *, run: str | Path) -> None:
    if not engine.class_names:
        raise UsageError(
            f"{run} has no head, so it knows no classes to judge; train one with "
            "`saccade train SOURCE --init`"
        )
    require_same_classes(
        engine.class_names,
        pictures.class_names or (),
        source=pictures.path,
        advice="Rename the data's classes to the model's names, train on this data, or, where "
        "weights came without names, give them: saccade convert WEIGHTS --out RUN --class-names F",
    )


def _not_trained_on(
    folder: RunFolder, config: RunConfig, source: Source, voice: Voice
) -> tuple[str, Samples]:
    """The part of a source that says something about a run, and what training did not see of it."""
    if fingerprint(source) != load_contract(folder.contract).data.fingerprint:
        part, samples = _best_part(source)
        return part, _unseen(samples, folder, voice)
    parts = divide(
        source,
        val_fraction=config.data.val_fraction,
        test_fraction=config.data.test_fraction,
        seed=config.seed,
        fewest=fewest_held_out(config.job),
    )
    named = {"test": parts.test, "val": parts.val, "train": parts.train}
    return next((name, part) for name, part in named.items() if part)


def _best_part(source: Source) -> tuple[str, Samples]:
    for part in ("test", "val", "all", "train"):
        if part in source.splits:
            return part, source.splits[part]
    raise AssertionError(f"a source without splits: {source}")


def _unseen(samples: Samples, folder: RunFolder, voice: Voice) -> Samples:
    """The samples without those that training saw, whatever source they come back in."""
    if not folder.trained_on.exists():
        return samples
    trained_on = set(folder.trained_on.read_text().split())
    hashes = picture_hashes(samples)
    unseen = np.array([k for k, line in enumerate(hashes) if line not in trained_on], np.int64)
    num_seen = len(samples) - len(unseen)
    if num_seen == 0:
        return samples
    if not len(unseen):
        voice.say(
            f"every one of these {samples.noun}s was trained on: the figures say nothing about "
            "others"
        )
        return samples
    voice.say(f"{num_seen:,} of {len(samples):,} {samples.noun}s were trained on and are left out")
    return samples.take(unseen)
