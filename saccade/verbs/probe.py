"""probe: a frozen model and labelled pictures -> what its features are worth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

import numpy as np

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.data.clips.sources import open_clips
from saccade.data.fingerprint import fingerprint, picture_hashes
from saccade.data.samples import Samples, Source
from saccade.data.sources import labelled, open_source
from saccade.data.split import Split, fewest_held_out
from saccade.data.split import split as divide
from saccade.errors import DataError, UsageError, nearest
from saccade.planning.classify import TEST_FRACTION
from saccade.run.contract import load_contract
from saccade.run.device import place
from saccade.run.folder import read_json
from saccade.run.start import find_run
from saccade.serving.engine import Engine
from saccade.serving.load import load_engine
from saccade.serving.probe import Probe, ProbeRow, probe_features
from saccade.serving.probe_features import ProbeFeatures, read_features, read_pixels
from saccade.tasks.build import build_task
from saccade.verbs.voice import Voice

PROBES = get_args(Probe)
DEFAULT_SHOTS = (1, 5, 10)


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What probes found.

    Attributes:
        run: the model, as it was named.
        source: the pictures.
        num_train, num_test: how many were learned from and judged.
        num_classes: K.
        rows: one for each kind of features, number of labels and probe.
        notes: what a user should hear.
    """

    run: str
    source: str
    num_train: int
    num_test: int
    num_classes: int
    rows: list[ProbeRow]
    notes: list[str]


def probe(
    run: str | Path,
    source: str | Path,
    *,
    shots: Sequence[int] = DEFAULT_SHOTS,
    repeats: int = 3,
    probes: Sequence[str] = PROBES,
    control: bool = False,
    seed: int = 0,
    device: str | None = None,
    is_quiet: bool = False,
) -> ProbeResult:
    """Asks what can be read from a model whose weights stay as they are.

    Nearest neighbours, logistic regression and an attentive probe are fitted with all labels and
    with a few of each class. The pixels themselves are probed beside it: features that are no
    better are worth nothing. Of a run's own source the part held out for testing is judged.

    Args:
        run: a run folder of any job, or weights of another library; see ``load``.
        source: pictures with classes, which may be others than the model's; clips for a model that
            watches those.
        shots: labels of each class, besides all of them; classes with fewer give what they have.
        repeats: draws of these labels.
        probes: which of ``knn``, ``linear`` and ``attentive``.
        control: whether the same model with fresh weights is probed too: how much of the figures
            is the architecture's. Only for run folders.
        seed: of the draws, and of the split of a source that has none.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model, source or probe, or numbers below 1.
        DataError: the source has no classes, or too few pictures to hold some back.
    """
    chosen = [_probe_named(name) for name in probes]
    for name, values in (("shots", shots), ("repeats", [repeats])):
        if any(value < 1 for value in values):
            raise UsageError(f"--{name} has {min(values)}; expected whole numbers of 1 or more")
    voice = Voice(is_quiet=is_quiet)
    engine = load_engine(run, device=device)
    for note in engine.notes:
        voice.say(note)
    if control and find_run(run) is None:
        raise UsageError(
            f"{run} is no run folder, so its fresh weights are not known; leave --control out"
        )
    pictures = labelled(
        open_clips(source) if engine.preprocess.num_frames > 1 else open_source(source)
    )
    assert pictures.class_names is not None
    notes: list[str] = []
    train, test = _parts(run, pictures, seed=seed, notes=notes)
    for note in notes:
        voice.say(note)
    voice.head(f"Probing on {len(train):,} pictures, judging on {len(test):,}")
    rows: list[ProbeRow] = []
    for name, of_train, of_test in _features(
        engine,
        _fresh(run, engine) if control else None,
        train,
        test,
        has_tokens="attentive" in chosen,
    ):
        if 0 < of_train.num_with_tokens < len(of_train.labels):
            notes.append(
                f"{name}: the attentive probe learned from {of_train.num_with_tokens:,} pictures, "
                "as many as fit in memory with all their tokens"
            )
            voice.say(notes[-1])
        for row in probe_features(
            name,
            of_train,
            of_test,
            probes=chosen,
            shots=shots,
            repeats=repeats,
            num_classes=len(pictures.class_names),
            seed=seed,
        ):
            voice.say(f"  {_line(row)}")
            rows.append(row)
    return ProbeResult(
        run=str(run),
        source=str(source),
        num_train=len(train),
        num_test=len(test),
        num_classes=len(pictures.class_names),
        rows=rows,
        notes=notes,
    )


def _probe_named(name: str) -> Probe:
    if name not in PROBES:
        raise UsageError(f"no probe is called {name!r}; {nearest(name, PROBES)}")
    return cast(Probe, name)


def _parts(
    run: str | Path, source: Source, *, seed: int, notes: list[str]
) -> tuple[Samples, Samples]:
    """The pictures to learn from and those to judge on; of a run's own source, its own parts."""
    folder = find_run(run)
    parts = divide(source, val_fraction=0.0, test_fraction=TEST_FRACTION, seed=seed)
    seen: frozenset[str] = frozenset()
    if folder is not None:
        config = from_json(RunConfig, read_json(folder.config))
        # A job without classes does not count them in.
        known = {fingerprint(source), fingerprint(replace(source, class_names=None))}
        if load_contract(folder.contract).data.fingerprint in known:
            parts = divide(
                source,
                val_fraction=config.data.val_fraction,
                test_fraction=config.data.test_fraction,
                seed=config.seed,
                fewest=fewest_held_out(config.job),
            )
        if folder.trained_on.is_file():
            seen = frozenset(folder.trained_on.read_text().split())
    test = _held_out(parts, source)
    hashes = picture_hashes(test) if seen else []
    fresh = np.array([k for k, line in enumerate(hashes) if line not in seen], np.int64)
    num_seen = len(hashes) - len(fresh)
    if num_seen and len(fresh):
        notes.append(f"{num_seen:,} test pictures were trained on and are left out")
        test = test.take(fresh)
    elif num_seen:
        notes.append("every test picture was trained on by the model: the figures are too kind")
    return parts.train, test


def _held_out(parts: Split, source: Source) -> Samples:
    """The part to judge on."""
    part = parts.test or parts.val
    if part is None:
        raise DataError(
            f"{source.path} has too few pictures to hold any back for judging; give more of each "
            "class"
        )
    return part


def _fresh(run: str | Path, engine: Engine) -> Engine:
    """The same model as it was before training."""
    folder = find_run(run)
    assert folder is not None
    config = from_json(RunConfig, read_json(folder.config))
    contract = load_contract(folder.contract)
    task = build_task(config, class_names=contract.class_names, preprocess=contract.preprocess)
    return replace(engine, task=place(task, engine.device).eval())


def _features(
    engine: Engine, fresh: Engine | None, train: Samples, test: Samples, *, has_tokens: bool
) -> Iterator[tuple[str, ProbeFeatures, ProbeFeatures]]:
    """Kinds of features one after the other, so that one is in memory at a time."""
    yield (
        "model",
        read_features(engine, train, has_tokens=has_tokens),
        read_features(engine, test, has_tokens=has_tokens),
    )
    if fresh is not None:
        yield (
            "fresh weights",
            read_features(fresh, train, has_tokens=has_tokens),
            read_features(fresh, test, has_tokens=has_tokens),
        )
    yield "pixels", read_pixels(engine, train), read_pixels(engine, test)


def _line(row: ProbeRow) -> str:
    labels = "all labels" if row.shots is None else f"{row.shots} of each class"
    spread = "" if row.std is None else f"  +- {row.std:.4f} over {row.draws} draws"
    return f"{row.features:<14} {labels:<16} {row.probe:<10} {row.top1:.4f}{spread}"
