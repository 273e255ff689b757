"""From a folder of vectors to an index."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64
from safetensors.torch import save_file

from saccade.errors import DataError
from saccade.heads.classify import ClassHead
from saccade.heads.embed import EmbedHead
from saccade.serving.engine import Engine
from saccade.serving.search.approximate import ApproximateSearch
from saccade.serving.search.classes import ClassVectors, class_vectors
from saccade.serving.search.index import IndexFolder
from saccade.serving.search.items import read_items, write_items
from saccade.serving.search.known import file_hash
from saccade.serving.search.manifest import EngineName, IndexManifest, WhiteningName, save_manifest
from saccade.serving.search.normalise import OWN_SKIPPED, Background
from saccade.serving.search.rows import open_rows, write_rows
from saccade.serving.search.vectors import VectorFolder
from saccade.serving.search.whiten import Whitening, fit, identity

CHUNK = 16_384
"""Vectors whitened at a time."""

FEWEST_WHITENED = 16
"""A gallery of fewer pictures does not say how it spreads; only its mean could be taken away."""

MOST_NAMED = 100
"""Unreadable pictures that the manifest names."""


def build_index(
    folder: IndexFolder,
    engine: Engine,
    *,
    engine_name: EngineName,
    whitening_name: WhiteningName,
    background: Float32[np.ndarray, "m D"] | None,
) -> IndexManifest:
    """Turns ``folder.embedding``, which is complete, into an index, and throws it away.

    Every file is written before the manifest that names it, so a kill leaves an unfinished index
    and never a wrong one.

    Args:
        folder: of the index.
        engine: the model that made the vectors.
        engine_name: what shall search.
        whitening_name: whether to fit a whitening on the gallery.
        background: vectors of other pictures, for the normalisation of scores; None: the gallery's.

    Raises:
        DataError: not one picture could be read.
        UsageError: the engine needs an extra that is not installed.
    """
    embedded = VectorFolder(folder.embedding)
    begun = embedded.require_complete()
    items = read_items(embedded.items)
    kept = np.flatnonzero(items["error"].is_null().to_numpy())
    if len(kept) == 0:
        raise DataError(f"{begun.made.source}: none of its {begun.n:,} pictures can be read")
    vectors = open_rows(embedded.vectors)
    is_whitened = len(kept) >= FEWEST_WHITENED and _wants_whitening(
        engine, whitening_name, pool=begun.made.pool
    )
    whitening = _whitening(vectors, kept, is_whitened=is_whitened)
    width = whitening.matrix.shape[1]

    write_rows(folder.vectors, _whitened(vectors, kept, whitening), width=width)
    write_items(folder.items, [items.take(pa.array(kept))])
    save_file({"mean": whitening.mean, "matrix": whitening.matrix}, folder.whitening)
    rows = open_rows(folder.vectors)
    num_skipped = OWN_SKIPPED if background is None else 0
    others = rows if background is None else whitening(background)
    Background(others, num_skipped=num_skipped).save(folder.background)
    classes = class_vectors(engine, whitening, rows, read_items(folder.items), pool=begun.made.pool)
    files = [folder.vectors, folder.items, folder.whitening, folder.background]
    files += _write_classes(folder, classes) + _write_graph(folder, rows, engine_name)

    left_out = items.filter(items["error"].is_valid()).to_pylist()
    manifest = IndexManifest(
        made=begun.made,
        run=_absolute(begun.made.run),
        job=engine.job,
        engine=engine_name,
        n=len(kept),
        embed_dim=begun.embed_dim,
        whitened_dim=width,
        whitening="full" if is_whitened else "none",
        shrinkage=whitening.shrinkage,
        num_skipped=num_skipped,
        class_names=classes.names,
        classes_from=classes.source,
        preprocess=engine.preprocess,
        left_out={each["path"]: each["error"] for each in left_out[:MOST_NAMED]},
        num_left_out=len(left_out),
        files={path.name: file_hash(path) for path in files},
    )
    save_manifest(folder.manifest, manifest)
    shutil.rmtree(folder.embedding)
    return manifest


def _wants_whitening(engine: Engine, name: WhiteningName, *, pool: str) -> bool:
    """Not where vectors were made to tell classes: most of their variance is what they mean.

    Whitening gives the rest the same weight: with an embedder of sign-language digits the mean
    average precision of a search by class fell from 0.95 to 0.43. Where nobody taught what matters,
    directions that few pictures differ in are as good as any (docs/retrieval.md has the figures).
    """
    if name != "auto":
        return name == "full"
    return pool != "auto" or not isinstance(engine.task.head, ClassHead | EmbedHead)


def _whitening(
    vectors: Float32[np.ndarray, "n D"], kept: Int64[np.ndarray, " m"], *, is_whitened: bool
) -> Whitening:
    if not is_whitened:
        return identity(vectors.shape[1])
    return fit(vectors if len(kept) == len(vectors) else vectors[kept])


def _whitened(
    vectors: Float32[np.ndarray, "n D"], kept: Int64[np.ndarray, " m"], whitening: Whitening
) -> Iterator[Float32[np.ndarray, "_n d"]]:
    for start in range(0, len(kept), CHUNK):
        yield whitening(vectors[kept[start : start + CHUNK]])


def _write_classes(folder: IndexFolder, classes: ClassVectors) -> list[Path]:
    if not classes.names:
        return []
    write_rows(folder.classes, [classes.vectors], width=classes.vectors.shape[1])
    return [folder.classes]


def _write_graph(
    folder: IndexFolder, rows: Float32[np.ndarray, "n d"], engine_name: EngineName
) -> list[Path]:
    if engine_name == "exact":
        return []
    graph = ApproximateSearch(rows.shape[1])
    for start in range(0, len(rows), CHUNK):
        graph.add(rows[start : start + CHUNK])
    graph.save(folder.graph)
    return [folder.graph]


def _absolute(run: str) -> str:
    return str(Path(run).absolute()) if Path(run).exists() else run
