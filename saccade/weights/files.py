"""Opens what a user names as weights, without running anything that is in it.

safetensors files, folders of them, Google's ``.npz`` and ``hf://owner/name``. Pickles are refused
whatever they are called: opening one runs the code inside.
"""

import json
import re
import shlex
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from saccade.errors import DataError, UsageError, nearest
from saccade.weights.hub import HUB, download

LICENCE_NOT_STATED = "not stated"


@dataclass(frozen=True, kw_only=True)
class WeightFile:
    """Everything that stood at the place that the user named, not yet understood.

    Attributes:
        source: as the user named it.
        kind: what the tensors were stored as.
        tensors: all of them, by their names.
        config: of ``config.json``; empty where there is none.
        preprocessor: of ``preprocessor_config.json``; None where there is none.
        licence: as the front matter of ``README.md`` states it.
    """

    source: str
    kind: Literal["safetensors", "npz"]
    tensors: Mapping[str, Tensor]
    config: Mapping[str, Any]
    preprocessor: Mapping[str, Any] | None
    licence: str


def open_weights(source: str | Path) -> WeightFile:
    """Reads tensors and the files beside them; a bare file counts with what is in its folder.

    Args:
        source: a ``.safetensors`` or ``.npz`` file, a folder, or ``hf://owner/name[@revision]``.

    Raises:
        UsageError: nothing is there, it is a pickle, or a file of another kind.
        DataError: the file is damaged.
    """
    given = str(source)
    path = download(given) if given.startswith(HUB) else Path(source)
    if not path.exists():
        raise UsageError(_missing(given, path))
    folder = path if path.is_dir() else path.parent
    files = _files_of(given, path) if path.is_dir() else [path]
    tensors: dict[str, Tensor] = {}
    for file in files:
        tensors |= _read_tensors(file)
    if not tensors:
        raise DataError(f"{given} holds no tensors")
    return WeightFile(
        source=given,
        kind="npz" if files[0].suffix.lower() == ".npz" else "safetensors",
        tensors=tensors,
        config=_read_json(folder / "config.json") or {},
        preprocessor=_read_json(folder / "preprocessor_config.json"),
        licence=_licence(folder / "README.md"),
    )


def _files_of(given: str, folder: Path) -> list[Path]:
    """The weights of a folder: sharded, or ``model.safetensors``, or the one file there is."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        return _shards(index)
    if (folder / "model.safetensors").exists():
        return [folder / "model.safetensors"]
    found = sorted(each for each in folder.iterdir() if each.suffix.lower() in _READABLE)
    if len(found) == 1:
        return found
    if found:
        names = ", ".join(each.name for each in found)
        raise UsageError(f"{given} holds several files of weights ({names}). Name one of them.")
    for each in sorted(folder.iterdir()):
        if each.is_file() and (each.suffix.lower() in _PICKLES or _is_pickle(each)):
            raise UsageError(_refuse_pickle(each))
    raise UsageError(
        f"{given} holds no weights. Expected model.safetensors, model.safetensors.index.json with "
        "its parts, or one .safetensors or .npz file."
    )


def _shards(index: Path) -> list[Path]:
    found = _read_json(index) or {}
    parts = found.get("weight_map")
    if not isinstance(parts, dict) or not parts:
        raise DataError(f"{index} has no weight_map, which names the file of each tensor")
    names = sorted({str(name) for name in parts.values()})
    for name in names:
        if Path(name).name != name:
            raise DataError(f"{index} names {name!r}; its parts have to stand beside it")
    missing = [name for name in names if not (index.parent / name).exists()]
    if missing:
        raise DataError(
            f"{index.parent}: {len(missing)} of {len(names)} parts are missing: "
            f"{', '.join(missing)}. Fetch the folder again."
        )
    return [index.parent / name for name in names]


def _read_tensors(path: Path) -> dict[str, Tensor]:
    if _is_pickle(path):
        raise UsageError(_refuse_pickle(path))
    match path.suffix.lower():
        case ".safetensors":
            return _read_safetensors(path)
        case ".npz":
            return _read_npz(path)
        case suffix if suffix in _PICKLES:
            raise UsageError(_refuse_pickle(path))
        case _:
            raise UsageError(
                f"{path} is not a file of weights that this reads. Expected .safetensors, .npz, a "
                f"folder with model.safetensors, or {HUB}owner/name."
            )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        # Copies: what is loaded is a view of the file, and touching it when the file has become
        # shorter since ends the process.
        mapped = safetensors.torch.load_file(path)
        return {name: tensor.clone() for name, tensor in mapped.items()}
    except (safetensors.SafetensorError, OSError) as error:
        size = path.stat().st_size
        raise DataError(
            f"{path} ({size} bytes) is no complete safetensors file: {error}. Fetch it again."
        ) from None


def _read_npz(path: Path) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    try:
        # Opened here, because numpy leaves a damaged archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            for name in archive.files:
                tensors[name] = torch.from_numpy(np.ascontiguousarray(archive[name]))
    except (ValueError, TypeError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as an .npz of plain numbers: {error}. Arrays of Python objects "
            "would run code and are refused."
        ) from None
    return tensors


def _is_pickle(path: Path) -> bool:
    """Whether a file is a pickle, bare or in PyTorch's zip, whatever it is called."""
    with path.open("rb") as file:
        head = file.read(4)
    if head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        # safetensors begins with the length of its header: 0x80 too, for some lengths. But then
        # the ninth byte is the brace of its JSON.
        with path.open("rb") as file:
            return file.read(9)[8:] != b"{"
    if head != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return path.suffix.lower() in _PICKLES


def _refuse_pickle(path: Path) -> str:
    target = path.with_suffix(".safetensors")
    return (
        f"{path} is a pickle, and opening a pickle runs the code inside. If you trust where it "
        "came from, convert it once, elsewhere, with this line:\n"
        f'  python -c "{_CONVERSION}" {shlex.quote(str(path))} {shlex.quote(str(target))}\n'
        f"and give {target}."
    )


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise DataError(f"{path} holds a {type(found).__name__}; expected an object")
    return found


def _licence(readme: Path) -> str:
    """The ``license:`` line between the two ``---`` lines that a model card begins with."""
    if not readme.exists():
        return LICENCE_NOT_STATED
    text = readme.read_text(encoding="utf-8", errors="replace")
    front = re.match(r"---\n(.*?)\n---", text.replace("\r\n", "\n"), re.DOTALL)
    found = front and re.search(r"^license:[ \t]*(\S.*?)[ \t]*$", front[1], re.MULTILINE)
    return found[1].strip("\"'") if found else LICENCE_NOT_STATED


def _missing(given: str, path: Path) -> str:
    if not path.parent.is_dir():
        return f"{given} does not exist, nor does the folder {path.parent}"
    names = [each.name for each in path.parent.iterdir()]
    offer = f"; {nearest(path.name, names)}" if 0 < len(names) <= 30 else "."
    return f"{given} does not exist{offer} For weights of the hub write {HUB}owner/name"


_CONVERSION = (
    "import sys, torch; from safetensors.torch import save_file; "
    "d = torch.load(sys.argv[1], map_location='cpu', weights_only=True); "
    "d = d.get('model', d.get('state_dict', d)); "
    "save_file({k: v.clone().contiguous() for k, v in d.items() if torch.is_tensor(v)}, "
    "sys.argv[2])"
)
_READABLE = {".safetensors", ".npz"}
_PICKLES = {".pth", ".pt", ".bin", ".pkl", ".pickle", ".ckpt"}
