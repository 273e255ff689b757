"""duplicates: pictures -> groups of copies among them."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from saccade.data.samples import Source
from saccade.data.sources import open_source
from saccade.errors import DataError, UsageError
from saccade.serving.search.duplicates import Group, find_groups
from saccade.serving.search.exact import ExactSearch
from saccade.serving.search.index import IndexFolder, open_index
from saccade.serving.search.normalise import OWN_SKIPPED, Background
from saccade.serving.search.originals import Originals
from saccade.serving.search.thumbnails import thumbnails
from saccade.verbs.index import index as make_index
from saccade.verbs.voice import Voice

THRESHOLD = 0.9
"""Score from which two pictures count as copies."""


@dataclass(frozen=True, kw_only=True)
class DuplicateGroup:
    """Copies of one picture.

    Attributes:
        paths: of the pictures, in the order of the source.
        labels: their classes; None where there are none. Copies with two labels are worth a look.
        is_exact: whether all are the same file.
        lowest_score: of the weakest link in the group: 1 for equal pictures.
    """

    paths: list[str]
    labels: list[str | None]
    is_exact: bool
    lowest_score: float


@dataclass(frozen=True, kw_only=True)
class DuplicatesResult:
    """What was found.

    Attributes:
        source: the pictures, or the index, as they were named.
        by: what pictures were compared by: a model, or their pixels.
        threshold: the score from which two counted as copies.
        n: pictures looked at.
        num_errors: pictures that could not be read.
        groups: in the order of the source.
    """

    source: str
    by: str
    threshold: float
    n: int
    num_errors: int
    groups: list[DuplicateGroup]


class _Looked(NamedTuple):
    """Groups by row, and what the rows are called."""

    groups: list[Group]
    paths: Sequence[str]
    labels: Sequence[str | None]
    num_errors: int
    by: str


def duplicates(
    source: str | Path,
    *,
    run: str | Path | None = None,
    threshold: float | None = None,
    device: str | None = None,
    is_quiet: bool = False,
) -> DuplicatesResult:
    """Finds exact copies and near ones: the same picture scaled, compressed or edited a little.

    Args:
        source: pictures of any source, or an index.
        run: a model to compare by; None: small versions of the pictures themselves, which know
            nothing of crops and turns. An index has its own.
        threshold: score from which two pictures count as copies, up to 1 for equal ones.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such source, index or model.
        DataError: not one picture can be read, or a file of the index is damaged.
    """
    voice = Voice(is_quiet=is_quiet)
    used = THRESHOLD if threshold is None else threshold
    if not 0 < used <= 1:
        raise UsageError(f"the threshold is {used:g}; expected a score above 0, up to 1")
    if IndexFolder(source).manifest.is_file():
        if run is not None:
            raise UsageError(f"{source} is an index with a model of its own; leave --run out")
        looked = _in_index(source, used)
    elif run is not None:
        with tempfile.TemporaryDirectory(prefix="saccade-duplicates-") as folder:
            made = Path(folder) / "index"
            make_index(run, source, made, whitening="full", device=device, is_quiet=is_quiet)
            looked = _in_index(made, used)
    else:
        looked = _by_pixels(open_source(source), used, voice)
    voice.say(f"{len(looked.groups):,} groups of copies among {len(looked.paths):,} pictures")
    return DuplicatesResult(
        source=str(source),
        by=looked.by,
        threshold=used,
        n=len(looked.paths),
        num_errors=looked.num_errors,
        groups=[
            DuplicateGroup(
                paths=[looked.paths[row] for row in group.rows],
                labels=[looked.labels[row] for row in group.rows],
                is_exact=group.is_exact,
                lowest_score=round(group.lowest_score, 4),
            )
            for group in looked.groups
        ],
    )


def _in_index(path: str | Path, threshold: float) -> _Looked:
    index = open_index(path)
    originals = Originals(index.manifest.made.source)
    return _Looked(
        index.duplicates(threshold),
        [originals.path(name) for name in index.items["path"].to_pylist()],
        index.items["label"].to_pylist(),
        index.manifest.num_left_out,
        index.manifest.made.run,
    )


def _by_pixels(source: Source, threshold: float, voice: Voice) -> _Looked:
    originals = Originals(source.path)
    parts, paths, labels, contents = [], [], [], []
    num_errors = 0
    for samples in source.splits.values():
        found = thumbnails(samples, progress=voice.counting("read"))
        num_errors += len(found.bad)
        parts.append(found.vectors)
        good = samples.take(found.positions)
        paths += [originals.path(name) for name in good.names()]
        contents += [samples.pictures.content_hash(i) for i in good.ids.tolist()]
        names = source.class_names
        if good.labels is None or names is None:
            labels += [None] * len(good)
        else:
            labels += [names[label] for label in good.labels.tolist()]
    vectors = np.concatenate(parts)
    if not len(vectors):
        raise DataError(f"{source.path}: none of its pictures can be read")
    engine = ExactSearch(vectors.shape[1])
    engine.add(vectors)
    background = Background(vectors, num_skipped=OWN_SKIPPED)
    groups = find_groups(
        vectors, contents, engine=engine, background=background, threshold=threshold
    )
    return _Looked(groups, paths, labels, num_errors, "pixels")
