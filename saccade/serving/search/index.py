"""An index: a gallery that answers "which pictures are like this one?"."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float32
from safetensors import SafetensorError
from safetensors.torch import load_file

from saccade.errors import DataError, UsageError, nearest
from saccade.serving.search.approximate import open_approximate
from saccade.serving.search.duplicates import Group, find_groups
from saccade.serving.search.engine import SearchEngine
from saccade.serving.search.exact import open_exact
from saccade.serving.search.items import read_items
from saccade.serving.search.known import require_whole
from saccade.serving.search.manifest import IndexManifest, load_manifest
from saccade.serving.search.normalise import Background, open_background, scores
from saccade.serving.search.rows import open_rows
from saccade.serving.search.whiten import Whitening


class IndexFolder:
    """The paths inside an index folder.

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest = self.path / "manifest.json"
        self.vectors = self.path / "vectors.npy"
        self.items = self.path / "items.parquet"
        self.whitening = self.path / "whitening.safetensors"
        self.background = self.path / "background.npy"
        self.classes = self.path / "classes.npy"
        self.graph = self.path / "graph.usearch"
        self.embedding = self.path / "embedding"  # while it is being made


class Neighbour(NamedTuple):
    """One answer.

    Attributes:
        row: in the index.
        path: of the picture, below the source that was indexed.
        label: its class there; None where it had none.
        similarity: the cosine of the whitened vectors.
        score: the same on a scale of this query: 0 is as near as unrelated pictures come to it, 1
            is equal, and one threshold serves all queries.
    """

    row: int
    path: str
    label: str | None
    similarity: float
    score: float


class Index:
    """A gallery, ready to be searched; ``open_index`` makes one.

    Attributes:
        path: of its folder.
        manifest: what it says about itself.
        engine: what searches.
        items: what is known about each row.
    """

    def __init__(
        self,
        path: Path,
        *,
        manifest: IndexManifest,
        engine: SearchEngine,
        items: pa.Table,
        whitening: Whitening,
        background: Background,
        classes: Float32[np.ndarray, "K d"],
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.engine = engine
        self.items = items
        self._paths: list[str] = items["path"].to_pylist()
        self._labels: list[str | None] = items["label"].to_pylist()
        self._whitening = whitening
        self._background = background
        self._classes = classes

    def __len__(self) -> int:
        """How many pictures it holds."""
        return len(self.engine)

    def require_model(self, found: str, *, run: str) -> None:
        """Checks that vectors come from the model that the gallery was embedded with.

        Args:
            found: the hash of the model they come from.
            run: what the user called it.

        Raises:
            UsageError: they come from another one.
        """
        made = self.manifest.made
        if found != made.model:
            raise UsageError(
                f"{self.path} was made with the model {made.model[:12]} ({self.manifest.run}), "
                f"and {run} is the model {found[:12]}. Vectors of two models have nothing to do "
                "with each other: search with the same model, or make an index with this one"
            )

    def search(self, vectors: Float32[np.ndarray, "Q D"], k: int) -> list[list[Neighbour]]:
        """The pictures most like each query.

        Args:
            vectors: of the index's model, not whitened.
            k: how many; fewer where the index holds fewer.
        """
        return self._search(self._whitening(vectors), k)

    def search_label(self, label: str, k: int) -> list[Neighbour]:
        """The pictures most like a class.

        Raises:
            UsageError: the index knows no classes, or not this one.
        """
        names = self.manifest.class_names
        if not names:
            raise UsageError(
                f"{self.path} knows no classes: neither its model nor its pictures have any; "
                "search by a picture"
            )
        if label not in names:
            raise UsageError(f"{self.path} knows no class {label!r}; {nearest(label, names)}")
        row = names.index(label)
        return self._search(self._classes[row : row + 1], k)[0]

    def duplicates(self, threshold: float) -> list[Group]:
        """Groups of pictures that are copies of each other; see ``find_groups``."""
        return find_groups(
            open_rows(IndexFolder(self.path).vectors),
            self.items["content"].to_pylist(),
            engine=self.engine,
            background=self._background,
            threshold=threshold,
        )

    def _search(self, whitened: Float32[np.ndarray, "Q d"], k: int) -> list[list[Neighbour]]:
        found = self.engine.search(np.ascontiguousarray(whitened), k)
        scored = scores(found.similarities, self._background.level(whitened))
        return [
            [
                Neighbour(row, self._paths[row], self._labels[row], similarity, score)
                for row, similarity, score in zip(*each, strict=True)
            ]
            for each in zip(
                found.rows.tolist(), found.similarities.tolist(), scored.tolist(), strict=True
            )
        ]


def open_index(path: str | Path) -> Index:
    """Opens an index; every file is checked against its hash first.

    Raises:
        UsageError: there is no index, or an unfinished one, or it needs an extra.
        DataError: a file is missing or damaged; the message names it.
    """
    folder = IndexFolder(path)
    manifest = load_manifest(folder.manifest)
    _require_hashes(folder, manifest)
    require_whole(folder.path, manifest.files)
    try:
        tensors = load_file(folder.whitening)
    except SafetensorError as error:
        raise DataError(f"{folder.whitening} cannot be read ({error})") from None
    return Index(
        folder.path,
        manifest=manifest,
        engine=_engine(folder, manifest),
        items=read_items(folder.items),
        whitening=Whitening(
            mean=tensors["mean"], matrix=tensors["matrix"], shrinkage=manifest.shrinkage
        ),
        background=open_background(folder.background, num_skipped=manifest.num_skipped),
        classes=_classes(folder, manifest),
    )


def _require_hashes(folder: IndexFolder, manifest: IndexManifest) -> None:
    """A file without a hash would be taken as it is."""
    files = [folder.vectors, folder.items, folder.whitening, folder.background]
    files += [folder.classes] if manifest.class_names else []
    files += [folder.graph] if manifest.engine == "approximate" else []
    missing = [path.name for path in files if path.name not in manifest.files]
    if missing:
        raise DataError(
            f"{folder.manifest} is damaged: it has no hash of {', '.join(missing)}; make the index "
            "anew, or restore it from a copy"
        )


def _engine(folder: IndexFolder, manifest: IndexManifest) -> SearchEngine:
    if manifest.engine == "exact":
        return open_exact(folder.vectors)
    return open_approximate(folder.graph, embed_dim=manifest.whitened_dim)


def _classes(folder: IndexFolder, manifest: IndexManifest) -> Float32[np.ndarray, "K d"]:
    if not manifest.class_names:
        return np.empty((0, manifest.whitened_dim), np.float32)
    return open_rows(folder.classes)
