"""Which files under a folder are pictures, and what was passed over."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

PICTURE_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)

# Left behind by operating systems and archive programs.
_SYSTEM_NAMES = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})


class Ignored(NamedTuple):
    """Something in a source that is not used.

    Attributes:
        name: its path below the source.
        reason: why, in a few words.
    """

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What lies under a folder, in natural order.

    Attributes:
        pictures: paths of the picture files below the folder, with forward slashes.
        others: paths of the other plain files.
        folders: paths of the folders, at every depth.
        ignored: hidden and system entries, links that lead in circles, folders closed to us.
    """

    pictures: tuple[str, ...]
    others: tuple[str, ...]
    folders: tuple[str, ...]
    ignored: tuple[Ignored, ...]


def list_folder(root: Path) -> Listing:
    """Looks at everything under a folder, following links but no link twice down one path.

    Args:
        root: an existing folder.
    """
    files: list[str] = []
    folders: list[str] = []
    ignored: list[Ignored] = []
    # Each entry: a folder's path below the root ("" or ending in "/"), and the folders above it.
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    while waiting:
        prefix, above = waiting.pop()
        try:
            status = (root / prefix).stat()
            entries = _entries(root / prefix)
        except OSError as error:
            ignored.append(Ignored(prefix, f"cannot be opened: {error.strerror}"))
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            ignored.append(Ignored(prefix, "a link back to a folder above it"))
            continue

        for name, kind in entries:
            if name.startswith(".") or name.lower() in _SYSTEM_NAMES:
                ignored.append(Ignored(prefix + name, "hidden or left by a system"))
            elif kind == "folder":
                folders.append(prefix + name)
                waiting.append((f"{prefix}{name}/", above | {identity}))
            elif kind == "file":
                files.append(prefix + name)
            else:
                ignored.append(Ignored(prefix + name, "neither a file nor a folder"))

    files.sort(key=natural_key)
    return Listing(
        pictures=tuple(name for name in files if is_picture_name(name)),
        others=tuple(name for name in files if not is_picture_name(name)),
        folders=tuple(sorted(folders, key=natural_key)),
        ignored=tuple(sorted(ignored, key=lambda entry: natural_key(entry.name))),
    )


def is_picture_name(name: str) -> bool:
    """Whether a file is called like a picture."""
    return name.lower().endswith(PICTURE_ENDINGS)


def natural_key(path: str) -> tuple[list[list[tuple[int, int, str]]], str]:
    """A sort key by which "2" comes before "10", and every machine orders alike.

    Args:
        path: a path with forward slashes; folders are compared before the names in them.
    """
    parts = [
        [(0, int(digits), "") if digits else (1, 0, text) for digits, text in _RUNS.findall(part)]
        for part in path.casefold().split("/")
    ]
    return parts, path  # the path itself decides between "a1" and "A01"


_RUNS = re.compile(r"([0-9]+)|([^0-9]+)")


def _entries(folder: Path) -> list[tuple[str, Literal["folder", "file", "other"]]]:
    """Names in a folder and what they lead to; scandir knows without asking the disk again."""
    with os.scandir(folder) as entries:
        return [(entry.name, _kind(entry)) for entry in entries]


def _kind(entry: os.DirEntry[str]) -> Literal["folder", "file", "other"]:
    try:
        if entry.is_dir():
            return "folder"
        return "file" if entry.is_file() else "other"
    except OSError:  # a link to itself
        return "other"
