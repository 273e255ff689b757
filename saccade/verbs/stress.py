"""stress: a model on pictures made poor, beside the same pictures as they are."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.data.augment.draws import permutation
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.loader import Loader
from saccade.data.poor import KINDS, LIKE_AUGMENTATION, STRENGTHS, PoorPictures
from saccade.data.relabel import relabel
from saccade.data.samples import Samples, count
from saccade.errors import UsageError, nearest
from saccade.jobs.find import find_job, open_for
from saccade.metrics.intervals import Estimate
from saccade.reporting.page import write_report
from saccade.reporting.poor import draw_sheet
from saccade.run.contract import require_same_classes
from saccade.run.folder import RunFolder, read_json, write_json
from saccade.run.start import find_run
from saccade.serving.engine import BATCH_SIZE, Engine
from saccade.serving.load import load_engine
from saccade.verbs.unseen import best_part, part_not_trained_on
from saccade.verbs.voice import Voice

JOBS = ("classify", "detect", "segment", "embed")
"""Whose answers for a poor picture can be judged by what is known of the good one."""


@dataclass(frozen=True, kw_only=True)
class Poor:
    """One way of being poor.

    Attributes:
        kind: its name.
        values: the headline figure at strengths 1 to 5.
        is_like_augmentation: whether training changed pictures in such a way; the others are new to
            the model.
    """

    kind: str
    values: list[float]
    is_like_augmentation: bool

    @property
    def mean(self) -> float:
        """Over the strengths."""
        return sum(self.values) / len(self.values)


@dataclass(frozen=True, kw_only=True)
class StressResult:
    """How a model bears poor pictures.

    Attributes:
        run: the run folder, or the weights, as they were named.
        job: what the model does.
        split: which part of the source was used.
        n: how many pictures, each in all kinds and strengths.
        metric: the figure that is told: the headline of the job.
        clean: on the pictures as they are, with its 95 % interval.
        kinds: the same figure for each way of being poor.
        mean: over all kinds and strengths.
        mean_new: over those that nothing in training was like; None where there is none.
        report: the page that now shows it; None where the model is no run folder.
    """

    run: str
    job: str
    split: str
    n: int
    metric: str
    clean: Estimate
    kinds: list[Poor]
    mean: float
    mean_new: float | None
    report: Path | None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"report": None if self.report is None else str(self.report)}


def stress(
    run: str | Path,
    source: str | Path,
    *,
    num: int = 500,
    kinds: Iterable[str] | None = None,
    seed: int = 0,
    device: str | None = None,
    weights: str = "best",
    is_quiet: bool = False,
) -> StressResult:
    """Judges a model on pictures made poor: noise, blur, weather, light, JPEG, blocks.

    Five strengths of each kind, on the part of the source that ``evaluate`` would use. A run folder
    keeps the outcome (``evaluation/poor.json``, ``pictures/poor.png``), and its report shows it.

    Args:
        run: the run folder, or weights of another library; see ``load``.
        source: labelled pictures with the model's classes.
        num: how many of them, at most; each is answered for 61 times.
        kinds: some of ``saccade.data.poor.KINDS``; None: all of them.
        seed: of which pictures are taken.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        weights: ``best`` (by validation) or ``last``.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model, source or kind, or a job that cannot be judged so.
        DataError: other classes, or too many unreadable pictures.
    """
    chosen = _require_kinds(kinds)
    if num < 1:
        raise UsageError(f"--num is {num}; at least 1 picture is needed")
    voice = Voice(is_quiet=is_quiet)
    engine = load_engine(run, device=device, weights=weights)
    if engine.job not in JOBS:
        raise UsageError(
            f"{run} does {engine.job}; what can be judged on poor pictures is {', '.join(JOBS)}"
        )
    job = find_job(engine.job)
    pictures = open_for(job, source)
    class_names = pictures.class_names or ()
    require_same_classes(engine.class_names, class_names, source=pictures.path)
    folder = find_run(run)
    config = None if folder is None else from_json(RunConfig, read_json(folder.config))
    if folder is None or config is None:
        part, samples = best_part(pictures)
    else:
        part, samples = part_not_trained_on(folder, config, pictures, voice)
    samples = relabel(samples, class_names, engine.class_names)
    samples = samples.take(np.sort(permutation(seed, 0, len(samples))[:num]))
    voice.say(f"judging {count(len(samples), samples.noun)} ({part} of {pictures.path})")

    clean = job.judge(engine, _loader(samples, engine))
    metric = clean.headline
    found = []
    colour = config is not None and config.augment.colour > 0
    for kind in chosen:
        values = []
        for strength in STRENGTHS:
            poor = replace(samples, pictures=PoorPictures(samples.pictures, kind, strength))
            values.append(job.judge(engine, _loader(poor, engine)).metrics[metric].value)
        is_like = colour and kind in LIKE_AUGMENTATION
        found.append(Poor(kind=kind, values=values, is_like_augmentation=is_like))
        voice.say(f"  {kind:<16}" + "".join(f"{value:>8.3f}" for value in values))
    new = [each.mean for each in found if not each.is_like_augmentation]
    result = StressResult(
        run=str(run),
        job=engine.job,
        split=part,
        n=clean.n,
        metric=metric,
        clean=clean.metrics[metric],
        kinds=found,
        mean=float(np.mean([each.mean for each in found])),
        mean_new=float(np.mean(new)) if new else None,
        report=None,
    )
    return result if folder is None else _kept(result, folder, samples, chosen)


def _kept(
    result: StressResult, folder: RunFolder, samples: Samples, kinds: list[str]
) -> StressResult:
    """Writes the outcome into the run folder."""
    for i in samples.ids.tolist():
        try:
            picture = samples.pictures.load(i, channels=3, min_side=None)
        except UnreadablePicture:
            continue
        folder.pictures.mkdir(exist_ok=True)
        draw_sheet(picture, kinds, folder.pictures / "poor.png")
        break
    folder.evaluation.mkdir(exist_ok=True)
    write_json(folder.evaluation / "poor.json", result.to_json())
    return replace(result, report=write_report(folder.path))


def _loader(samples: Samples, engine: Engine) -> Loader:
    loader = Loader(
        samples,
        engine.preprocess,
        batch_size=BATCH_SIZE,
        num_threads=engine.num_threads,
        cache_bytes=0,
        max_bad_fraction=1.0,
    )
    loader.prepare()
    return loader


def _require_kinds(kinds: Iterable[str] | None) -> list[str]:
    chosen = list(KINDS if kinds is None else kinds)
    for kind in chosen:
        if kind not in KINDS:
            raise UsageError(f"no kind of poor picture is called {kind!r}; {nearest(kind, KINDS)}")
    if not chosen:
        raise UsageError(f"no kind was named; there are {', '.join(KINDS)}")
    return chosen
