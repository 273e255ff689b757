"""compare: two models and labelled pictures -> which is better, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.data.loader import Loader
from saccade.data.relabel import relabel
from saccade.data.samples import Samples, Source, count
from saccade.errors import UsageError
from saccade.jobs.classify.job import ClassifyJob
from saccade.jobs.classify.judge import ClassJudgement, judge
from saccade.jobs.find import open_for
from saccade.metrics.class_answers import ClassAnswers
from saccade.metrics.paired import HIGH_IS_GOOD, Difference
from saccade.metrics.paired import compare as compare_answers
from saccade.planning.classify import MAX_BAD_FRACTION
from saccade.reporting.wording import figure_name
from saccade.run.contract import require_same_classes
from saccade.run.folder import RunFolder, read_json
from saccade.run.start import find_run
from saccade.serving.engine import BATCH_SIZE, Engine
from saccade.serving.load import load_engine
from saccade.serving.model import Model
from saccade.verbs.unseen import best_part, part_not_trained_on, unseen
from saccade.verbs.voice import Voice


@dataclass(frozen=True, kw_only=True)
class CompareResult:
    """Two models on the same pictures.

    Attributes:
        first, second: the models, as they were named.
        split: which part of the source was used.
        n: how many pictures that were.
        differences: a row for each figure; see ``Difference``.
        conclusion: what they come to, in plain words.
    """

    first: str
    second: str
    split: str
    n: int
    differences: tuple[Difference, ...]
    conclusion: str


def compare(
    first: str | Path,
    second: str | Path,
    source: str | Path,
    *,
    views: int = 1,
    device: str | None = None,
    is_quiet: bool = False,
) -> CompareResult:
    """Asks which of two classifiers is better, picture by picture.

    Only pictures that neither was trained on are used. Top-1 and top-5 are compared by McNemar's
    exact test, the other figures by a paired bootstrap.

    Args:
        first, second: run folders, or weights of another library; see ``load``.
        source: labelled pictures with their classes, in any order.
        views: how often each looks at each picture; see ``evaluate``.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model or source, or a model that does not name classes.
        DataError: other classes (both lists are shown), or no pictures that both have not seen.
    """
    voice = Voice(is_quiet=is_quiet)
    engines = [_engine(run, views=views, device=device, voice=voice) for run in (first, second)]
    require_same_classes(
        engines[0].class_names,
        engines[1].class_names,
        source=str(second),
        advice="Two models are compared by their answers to the same question: give two that "
        "were trained on the same classes",
    )
    pictures = open_for(ClassifyJob(), source)
    require_same_classes(engines[0].class_names, pictures.class_names or (), source=pictures.path)
    part, samples = _seen_by_neither(pictures, (first, second), voice)
    voice.say(f"comparing on {count(len(samples), samples.noun)} ({part} of {pictures.path})")
    judged = [_judged(each, samples, pictures.class_names or ()) for each in engines]
    assert judged[0].names == judged[1].names  # what can be read does not depend on the model
    names = engines[0].class_names
    found = compare_answers(judged[0].answers, _in_order(judged[1], names))
    return CompareResult(
        first=str(first),
        second=str(second),
        split=part,
        n=judged[0].n,
        differences=found,
        conclusion=conclude(found, first=str(first), second=str(second)),
    )


def conclude(differences: Sequence[Difference], *, first: str, second: str) -> str:
    """What a comparison comes to: first the figure that people look at, then the others."""
    top1 = differences[0]
    gap, low, high = (
        100 * value for value in (top1.difference.value, top1.difference.low, top1.difference.high)
    )
    if top1.better is None:
        said = (
            f"No difference in top-1 is shown: {second} is {gap:+.2f} points from {first}, and "
            f"anything from {low:+.2f} to {high:+.2f} is consistent with these pictures "
            f"(p = {top1.p:.2g})."
        )
    else:
        better, worse = (first, second) if top1.better == 1 else (second, first)
        ends = sorted((abs(low), abs(high)))
        said = (
            f"{better} is right more often than {worse}: by {abs(gap):.2f} points of top-1, "
            f"{ends[0]:.2f} to {ends[1]:.2f} (p = {top1.p:.2g})."
        )
    for number, name in ((1, first), (2, second)):
        better_in = [figure_name(d.name) for d in differences[1:] if d.better == number]
        if better_in:
            said += f" {name} is better in {', '.join(better_in)}."
    return said


def table(differences: Sequence[Difference], *, first: str, second: str) -> list[str]:
    """Lines of a table, one for each figure."""
    heads = ("figure", first, second, "difference", "95 % interval", "p", "better")
    rows = [heads]
    for each in differences:
        better = {None: "not shown", 1: first, 2: second}[each.better]
        sign = "" if each.name in HIGH_IS_GOOD else " (lower is better)"
        rows.append(
            (
                f"{figure_name(each.name)}{sign}",
                f"{each.first:.4f}",
                f"{each.second:.4f}",
                f"{each.difference.value:+.4f}",
                f"{each.difference.low:+.4f} to {each.difference.high:+.4f}",
                f"{each.p:.2g}",
                better,
            )
        )
    widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _engine(run: str | Path, *, views: int, device: str | None, voice: Voice) -> Engine:
    engine = load_engine(run, device=device)
    for note in engine.notes:
        voice.say(note)
    if engine.job != "classify" or not engine.class_names:
        what = "has no head" if engine.job == "classify" else f"was trained to {engine.job}"
        raise UsageError(f"{run} {what}; two models are compared that name classes of pictures")
    return engine if views == 1 else engine.seeing(views)


def _seen_by_neither(
    source: Source, runs: Sequence[str | Path], voice: Voice
) -> tuple[str, Samples]:
    """The part that the first run would be judged on, without what the others were trained on."""
    folders = [folder for folder in map(find_run, runs) if folder is not None]
    if not folders:
        return best_part(source)
    part, samples = part_not_trained_on(folders[0], _config(folders[0]), source, voice)
    for folder in folders[1:]:
        samples = unseen(samples, folder, voice)
    return part, samples


def _config(folder: RunFolder) -> RunConfig:
    return from_json(RunConfig, read_json(folder.config))


def _judged(engine: Engine, samples: Samples, class_names: tuple[str, ...]) -> ClassJudgement:
    loader = Loader(
        relabel(samples, class_names, engine.class_names),
        engine.preprocess,
        batch_size=BATCH_SIZE,
        num_threads=engine.num_threads,
        cache_bytes=0,
        max_bad_fraction=MAX_BAD_FRACTION,
    )
    loader.prepare()
    return judge(Model(engine), loader)


def _in_order(judgement: ClassJudgement, class_names: tuple[str, ...]) -> ClassAnswers:
    """The answers with the class ids of another list of the same names."""
    places = np.array([class_names.index(name) for name in judgement.class_names])
    answers = judgement.answers
    return replace(answers, labels=places[answers.labels], predicted=places[answers.predicted])
