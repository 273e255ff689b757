"""index: a model and pictures -> a folder that can be searched."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from jaxtyping import Float32

from saccade.data.samples import Source
from saccade.errors import DataError, UsageError, nearest
from saccade.serving.engine import Engine
from saccade.serving.features import EmbeddingPool
from saccade.serving.load import load_engine
from saccade.serving.search.approximate import require_usearch
from saccade.serving.search.build import build_index
from saccade.serving.search.embedding import embed_source
from saccade.serving.search.index import IndexFolder
from saccade.serving.search.manifest import EngineName, IndexManifest, WhiteningName
from saccade.serving.search.normalise import MOST_BACKGROUND
from saccade.serving.search.queries import embed_queries
from saccade.serving.search.vectors import VectorFolder
from saccade.verbs.embed import open_pictures_for, parse_pool
from saccade.verbs.voice import Voice


@dataclass(frozen=True, kw_only=True)
class IndexResult:
    """What was indexed.

    Attributes:
        run: the model, as it was named.
        out: the index folder.
        n: pictures that can be found.
        num_errors: pictures that could not be read and are left out.
        embed_dim: numbers in a vector of the model.
        whitened_dim: numbers in a vector of the index.
        engine: what searches: ``exact`` or ``approximate``.
        class_names: that can be searched by.
        model: a hash of the model; only its vectors can be searched with.
    """

    run: str
    out: Path
    n: int
    num_errors: int
    embed_dim: int
    whitened_dim: int
    engine: str
    class_names: tuple[str, ...]
    model: str


def index(
    run: str | Path,
    source: str | Path,
    out: str | Path,
    *,
    engine: str = "exact",
    pool: str = "auto",
    whitening: str = "auto",
    background: str | Path | None = None,
    resume: bool = False,
    device: str | None = None,
    is_quiet: bool = False,
) -> IndexResult:
    """Embeds a gallery and makes a folder of it that ``search`` and ``duplicates`` take.

    Args:
        run: the run folder of any job, or weights of another library; see ``load``.
        source: the gallery, with or without classes; of all its splits.
        out: a folder to make; one that exists is refused, unless ``resume``.
        engine: ``exact``, or ``approximate`` for very large galleries (the extra ``search``).
        pool: how tokens become a vector; see ``embed``.
        whitening: ``full``: every direction in which the gallery varies counts alike, best for
            finding copies; ``none``: vectors as they are, best for finding pictures of one class
            with a model that has learned classes; ``auto``: by whether it has.
        background: pictures that have nothing to do with the gallery, to judge by how near means
            little; None: the gallery itself.
        resume: go on after a kill; what is there already is not computed again.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model, source or engine, a folder in the way, or one that was begun with
            others.
        DataError: not one picture can be read.
    """
    voice = Voice(is_quiet=is_quiet)
    engine_name, chosen = parse_engine(engine), parse_pool(pool)
    whitening_name = parse_whitening(whitening)
    folder = IndexFolder(out)
    _require_place(folder, is_resumed=resume)
    model = load_engine(run, device=device)
    for note in model.notes:
        voice.say(note)
    pictures = open_pictures_for(model, source)
    voice.head(pictures.describe()[0])
    others = None if background is None else open_pictures_for(model, background)
    embedding = VectorFolder(folder.embedding)
    folder.path.mkdir(parents=True, exist_ok=True)
    embed_source(
        model,
        pictures,
        embedding,
        run=str(run),
        pool=chosen,
        is_resumed=embedding.manifest.exists(),
        progress=voice.counting("embedded"),
    )
    manifest = build_index(
        folder,
        model,
        engine_name=engine_name,
        whitening_name=whitening_name,
        background=None if others is None else _vectors(model, others, chosen),
    )
    _conclude(folder, manifest, voice)
    return IndexResult(
        run=str(run),
        out=folder.path,
        n=manifest.n,
        num_errors=manifest.num_left_out,
        embed_dim=manifest.embed_dim,
        whitened_dim=manifest.whitened_dim,
        engine=manifest.engine,
        class_names=manifest.class_names,
        model=manifest.made.model,
    )


def parse_engine(name: str) -> EngineName:
    """An engine by its name, if it is installed.

    Raises:
        UsageError: there is none of that name, or it needs an extra.
    """
    known: tuple[EngineName, ...] = get_args(EngineName)
    for engine in known:
        if engine == name:
            if engine == "approximate":
                require_usearch()
            return engine
    raise UsageError(f"there is no search engine {name!r}; {nearest(name, known)}")


def parse_whitening(name: str) -> WhiteningName:
    """A way to whiten by its name.

    Raises:
        UsageError: there is none of that name.
    """
    known: tuple[WhiteningName, ...] = get_args(WhiteningName)
    for whitening in known:
        if whitening == name:
            return whitening
    raise UsageError(f"there is no whitening {name!r}; {nearest(name, known)}")


def _require_place(folder: IndexFolder, *, is_resumed: bool) -> None:
    if folder.manifest.exists():
        raise UsageError(f"{folder.path} is a finished index already; choose another --out")
    has_something = folder.path.exists() and (
        not folder.path.is_dir() or any(folder.path.iterdir())
    )
    if has_something and not is_resumed:
        raise UsageError(
            f"{folder.path} exists already and is never overwritten; choose another --out, or go "
            "on with an unfinished index with --resume"
        )
    if has_something and not folder.embedding.is_dir():
        raise UsageError(f"{folder.path} is not an unfinished index, so it cannot be resumed")


def _vectors(model: Engine, source: Source, pool: EmbeddingPool) -> Float32[np.ndarray, "m D"]:
    """Vectors of some of the pictures of a source, evenly spread."""
    found = []
    for samples in source.splits.values():
        count = min(len(samples), MOST_BACKGROUND // len(source.splits))
        chosen = samples.take(np.linspace(0, len(samples) - 1, count).astype(int))
        queries = embed_queries(model, chosen, pool=pool)
        found += [query.vector for query in queries if query.vector is not None]
    if not found:
        raise DataError(f"{source.path}: none of the background's pictures can be read")
    return np.stack(found)


def _conclude(folder: IndexFolder, manifest: IndexManifest, voice: Voice) -> None:
    voice.head(
        f"{manifest.n:,} pictures in {folder.path}, {manifest.whitened_dim} numbers each, "
        f"{manifest.engine} search"
    )
    if manifest.num_left_out:
        voice.say(f"  {manifest.num_left_out:,} pictures could not be read and are left out")
    if manifest.class_names:
        voice.say(f"  classes that can be searched by: {', '.join(manifest.class_names[:20])}")
    voice.say(f"  next:    saccade search {folder.path} PICTURE -k 10")
