"""What an index folder says about itself."""

import shlex
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from saccade.config.run import Preprocess
from saccade.errors import UsageError
from saccade.run.folder import RunFolder, read_json, write_json
from saccade.serving.search.vectors import Made

EngineName = Literal["exact", "approximate"]

WhiteningName = Literal["auto", "full", "none"]
"""Whether every direction in which a gallery varies counts alike; ``auto`` asks the model."""


@dataclass(frozen=True, kw_only=True)
class IndexManifest:
    """``manifest.json`` of an index: written last, so an index that has one is whole.

    Attributes:
        made: model and pictures, by their hashes.
        run: the absolute path of the model, where it was; None for one of another library.
        job: of the model.
        engine: what searches.
        n: vectors.
        embed_dim: numbers in a vector of the model.
        whitened_dim: numbers in a vector of the index.
        whitening: whether the vectors are whitened.
        shrinkage: of the whitening; see ``whiten``.
        num_skipped: of the background; see ``normalise``.
        class_names: that can be searched by, in the order of ``classes.npy``.
        classes_from: where the vectors of the classes come from; None where there are none.
        preprocess: how the pictures were prepared.
        left_out: pictures that could not be read, and why; no more than a hundred.
        num_left_out: how many there are.
        files: SHA-256 of every file.
        format: of the folder.
    """

    made: Made
    run: str
    job: str
    engine: EngineName
    n: int
    embed_dim: int
    whitened_dim: int
    whitening: Literal["full", "none"]
    shrinkage: float
    num_skipped: int
    class_names: tuple[str, ...]
    classes_from: Literal["head", "labels"] | None
    preprocess: Preprocess
    left_out: dict[str, str]
    num_left_out: int
    files: dict[str, str] = field(default_factory=dict)
    format: int = 1


def save_manifest(path: Path, manifest: IndexManifest) -> None:
    """Writes ``manifest.json``, atomically."""
    write_json(path, asdict(manifest))


def load_manifest(path: Path) -> IndexManifest:
    """Reads ``manifest.json``.

    Raises:
        UsageError: the folder is no index, or an unfinished one, or of another version.
    """
    folder = path.parent
    if not folder.is_dir():
        raise UsageError(f"there is no index {folder}; `saccade index RUN SOURCE` makes one")
    if not path.is_file():
        if (folder / "embedding").is_dir():
            raise UsageError(
                f"{folder} was never finished; give the same `saccade index` again with --resume"
            )
        raise UsageError(f"{folder} is no index{_instead(folder)}")
    data: dict[str, Any] = read_json(path)
    if isinstance(data, dict) and "made" in data and "engine" not in data:
        raise UsageError(
            f"{folder} holds vectors that `saccade embed` made, and is no index; `saccade index "
            "RUN SOURCE` makes one"
        )
    try:
        return msgspec.convert(data, IndexManifest)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} is not of an index that this version reads: {error}") from None


def _instead(folder: Path) -> str:
    """Why a folder is no index, and of a run with the commands that make and search one."""
    run = RunFolder(folder)
    if not run.is_begun:
        return ": it has no manifest.json"
    source = read_json(run.config)["data"]["source"]
    source = source if Path(source).exists() else "PICTURES"  # a converted run names weights
    out = folder.with_name(f"{folder.name}-index")
    made = shlex.join(["saccade", "index", str(folder), source, "--out", str(out)])
    return (
        f" but a run. First make an index with it: `{made}`, then give that: "
        f"`{shlex.join(['saccade', 'search', str(out)])} PICTURE`"
    )
