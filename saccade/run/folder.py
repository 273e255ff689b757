"""The run folder: where each thing that training leaves behind lies."""

import errno
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saccade.errors import SaccadeError, UsageError

_SHOWN_RUNS = 3  # of those that lie in a folder that is none itself


class RunFolder:
    """The paths inside a run folder.

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.contract = self.path / "contract.json"
        self.environment = self.path / "environment.json"
        self.trained_on = self.path / "trained_on.txt"  # a hash per picture, a line each
        self.known = self.path / "known.safetensors"  # what a classifier knows its pictures by
        self.weights = self.path / "weights.safetensors"
        self.last_weights = self.path / "last.safetensors"
        self.log = self.path / "log.jsonl"
        self.checkpoints = self.path / "checkpoints"
        self.evaluation = self.path / "evaluation"
        self.pictures = self.path / "pictures"

    def refuse_existing(self) -> None:
        """Checks that nothing would be overwritten.

        Raises:
            UsageError: there is something at the path already.
        """
        refuse_taken(self.path, advice=", or continue that run with --resume")

    def create(self, documents: Mapping[Path, Mapping[str, Any]]) -> None:
        """Makes the folder with its first JSON files, all at once or not at all.

        Args:
            documents: by path inside the folder.

        Raises:
            UsageError: there is something in it, or no folder can be made at that place.
            SaccadeError: the disk is full, or the like.
        """
        self.refuse_existing()
        place = self.path.absolute().resolve()  # "." has no name of its own
        temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
        try:
            temporary.mkdir(parents=True)
            for path, document in documents.items():
                write_json(temporary / path.relative_to(self.path), document)
            temporary.rename(place)  # over an empty folder, too
            sync_folder(place.parent)
        except (NotADirectoryError, PermissionError) as error:
            raise UsageError(f"cannot make the folder {self.path}: {error.strerror}") from None
        except OSError as error:
            advice = "make room" if error.errno == errno.ENOSPC else "choose another --out"
            raise SaccadeError(f"cannot write to {self.path}: {error.strerror}; {advice}") from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def require(self) -> None:
        """Checks that this is a run folder.

        Raises:
            UsageError: there is no such folder, or it is not one.
        """
        if not self.path.is_dir():
            raise UsageError(f"there is no run folder {self.path}; `saccade train` makes one")
        if not self.is_begun:
            raise UsageError(
                f"{self.path} is not a run folder: it has no {self.contract.name}; "
                + (self.runs_inside() or "give the folder that `saccade train --out` made")
            )

    def runs_inside(self) -> str:
        """What to name instead of a folder that holds runs, such as that of a demo; else nothing.

        Raises:
            OSError: it is no folder that can be read.
        """
        inside = [each.path for each in map(RunFolder, self.path.iterdir()) if each.is_begun]
        if not inside:
            return ""
        return f"it holds {', '.join(map(str, sorted(inside)[:_SHOWN_RUNS]))}: give that"

    @property
    def is_begun(self) -> bool:
        """Whether a training has begun here: there is a contract."""
        return self.contract.is_file()


def refuse_taken(path: Path, *, option: str = "--out", advice: str = "") -> None:
    """Checks that a folder can be made at a path: nothing is there, or an empty folder.

    Args:
        path: where to.
        option: by which the user named it.
        advice: what else the user can do.

    Raises:
        UsageError: something is there.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            f"{path} exists already and is never overwritten; choose another {option}{advice}"
        )


def write_atomic(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or not at all, also after a power cut.

    Raises:
        OSError: the disk is full, or the like; the old file is intact and nothing is left over.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Makes renames inside a folder last through a power cut."""
    if os.name == "nt":  # Windows has no handle to sync a folder by
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Writes readable JSON, atomically."""
    write_atomic(path, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON file of a run folder.

    Raises:
        UsageError: it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} is missing; is {path.parent} a complete run folder?") from None
    except ValueError as error:
        raise UsageError(f"{path} is not readable as JSON ({error}); restore it") from None
