"""evaluate: a model and labelled pictures -> figures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.data.loader import Loader
from saccade.data.relabel import relabel
from saccade.data.samples import Source, count
from saccade.errors import UsageError
from saccade.jobs.find import find_job, open_for
from saccade.planning.classify import MAX_BAD_FRACTION
from saccade.run.contract import require_same_classes
from saccade.run.folder import read_json
from saccade.run.start import find_run
from saccade.serving.engine import BATCH_SIZE, Engine
from saccade.serving.load import load_engine
from saccade.verbs.unknown import against_unknown, open_unknown
from saccade.verbs.unseen import best_part, part_not_trained_on
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
        views: how often the model looked at each picture.
        unknown: how well each score tells these pictures from unknown ones, where some were given:
            ``score``, ``n``, and ``auroc`` and ``fpr95`` with their intervals.
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
    views: int
    unknown: list[dict[str, Any]]


def evaluate(
    run: str | Path,
    source: str | Path,
    *,
    unknown: str | Path | None = None,
    views: int = 1,
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
        unknown: pictures of none of the classes, labelled or not: how well does the model tell that
            it does not know them?
        views: how often to look at each picture, each time a little changed (mirrored where the
            training found that safe, and moved); the logits are averaged.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        weights: ``best`` (by validation) or ``last``.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model or source, not so many views, or views or unknown pictures for
            answers that are not classes.
        DataError: other classes (both lists are shown), or too many unreadable pictures.
    """
    voice = Voice(is_quiet=is_quiet)
    engine = load_engine(run, device=device, weights=weights)
    for note in engine.notes:
        voice.say(note)
    if views != 1:
        engine = engine.seeing(views)
    others = None if unknown is None else open_unknown(unknown, engine)
    job = find_job(engine.job)
    pictures = open_for(job, source)
    class_names = pictures.class_names or ()
    if engine.class_names or class_names:
        _require_classes(engine, pictures, run=run)
    folder = find_run(run)
    max_bad_fraction = MAX_BAD_FRACTION
    if folder is None:
        part, samples = best_part(pictures)
    else:
        config = from_json(RunConfig, read_json(folder.config))
        max_bad_fraction = config.data.max_bad_fraction
        part, samples = part_not_trained_on(folder, config, pictures, voice)
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
        views=views,
        unknown=[] if others is None else against_unknown(engine, judgement, others, folder, voice),
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
