"""A folder of vectors: made picture by picture in constant memory, and continued after a kill."""

import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32

from saccade.errors import UsageError
from saccade.run.folder import read_json, refuse_taken, write_json
from saccade.serving.search.items import ITEMS, read_items, write_items
from saccade.serving.search.known import file_hash, require_whole
from saccade.serving.search.rows import open_rows, write_rows

PART_SIZE = 1024
"""Pictures in a part: what a kill costs at most."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What decides the vectors of a folder.

    Attributes:
        model: its hash; see ``model_hash``.
        run: the model, as the user named it.
        pool: how tokens become a vector.
        source: the pictures, as the user named them.
        fingerprint: of the source; see ``saccade.data.fingerprint``.
    """

    model: str
    run: str
    pool: str
    source: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class VectorManifest:
    """``manifest.json`` of a folder of vectors.

    Attributes:
        made: what decided them.
        n: pictures, and rows of both files.
        embed_dim: numbers in a vector.
        num_errors: pictures without a vector.
        files: SHA-256 of each file; none while the work goes on.
        format: of the folder.
    """

    made: Made
    n: int
    embed_dim: int
    num_errors: int = 0
    files: dict[str, str] = field(default_factory=dict)
    format: int = 1


class VectorFolder:
    """The paths inside, and what can be done with them.

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest = self.path / "manifest.json"
        self.vectors = self.path / "vectors.npy"
        self.items = self.path / "items.parquet"
        self.parts = self.path / "parts"

    def load(self) -> VectorManifest:
        """Reads the manifest.

        Raises:
            UsageError: there is none, or not one that this version understands.
        """
        data: dict[str, Any] = read_json(self.manifest)
        try:
            return msgspec.convert(data, VectorManifest)
        except msgspec.ValidationError as error:
            raise UsageError(
                f"{self.manifest} is not a manifest of vectors that this version understands: "
                f"{error}"
            ) from None

    def require_complete(self) -> VectorManifest:
        """Checks that all vectors are there and as they were written.

        Raises:
            UsageError: it is no folder of vectors, or an unfinished one.
            DataError: a file is damaged.
        """
        manifest = self.load()
        if not manifest.files:
            raise UsageError(
                f"{self.path} is not finished; `saccade embed ... --out {self.path} --resume` "
                "goes on with it"
            )
        require_whole(self.path, manifest.files)
        return manifest

    def begin(self, made: Made, *, n: int, embed_dim: int, is_resumed: bool) -> None:
        """Makes the folder, or makes sure that it is the same work that goes on in it.

        Raises:
            UsageError: something is in the way, or it was begun with other pictures or weights.
        """
        if not is_resumed:
            refuse_taken(self.path, advice=", or go on with --resume")
            self.parts.mkdir(parents=True, exist_ok=True)
            write_json(self.manifest, asdict(VectorManifest(made=made, n=n, embed_dim=embed_dim)))
            return
        begun = self.load().made
        for name, before in asdict(begun).items():
            now = asdict(made)[name]
            if before != now and name not in ("run", "source"):  # a path may have moved
                raise UsageError(
                    f"{self.path} was begun with another {_WORDS[name]} ({before[:12]}, now "
                    f"{now[:12]}), so it cannot be continued; choose another --out"
                )

    def missing_parts(self, n: int) -> list[int]:
        """The parts, by number, that are not there yet; none of a folder that is complete."""
        if self.load().files:
            return []
        count = -(-n // PART_SIZE)
        return [number for number in range(count) if not self._part(number, "parquet").exists()]

    def write_part(
        self, number: int, vectors: Float32[np.ndarray, "n D"], items: list[dict[str, Any]]
    ) -> None:
        """Writes a part so that it is there whole or not at all."""
        for ending in ("npy", "parquet"):  # the second one says that the first is whole
            path = self._part(number, ending)
            temporary = path.with_name(f"{path.name}.tmp")
            if ending == "npy":
                write_rows(temporary, [vectors], width=vectors.shape[1])
            else:
                pq.write_table(pa.Table.from_pylist(items, schema=ITEMS), temporary)
            temporary.replace(path)

    def finish(self) -> VectorManifest:
        """Puts the parts together, one at a time, and throws them away."""
        begun = self.load()
        if begun.files:  # a kill after the last line but one
            shutil.rmtree(self.parts, ignore_errors=True)
            return begun
        numbers = range(-(-begun.n // PART_SIZE))
        tables = [read_items(self._part(number, "parquet")) for number in numbers]
        arrays = (open_rows(self._part(number, "npy")) for number in numbers)
        write_rows(self.vectors, arrays, width=begun.embed_dim)
        write_items(self.items, tables)
        manifest = VectorManifest(
            made=begun.made,
            n=begun.n,
            embed_dim=begun.embed_dim,
            num_errors=sum(len(each) - each["error"].null_count for each in tables),
            files={path.name: file_hash(path) for path in (self.vectors, self.items)},
        )
        write_json(self.manifest, asdict(manifest))
        shutil.rmtree(self.parts, ignore_errors=True)
        return manifest

    def _part(self, number: int, ending: str) -> Path:
        return self.parts / f"{number:06d}.{ending}"


_WORDS = {
    "model": "model",
    "pool": "way to pool tokens",
    "fingerprint": "set of pictures",
}
