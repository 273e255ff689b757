"""What a folder's structure means: classes, splits, or just pictures."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from saccade.data.listing import Ignored, Listing, natural_key
from saccade.errors import DataError

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
ALL = "all"  # the one split of a source that has none


class Member(NamedTuple):
    """One picture of a split.

    Attributes:
        name: its path below the source.
        class_name: the class its folder stands for; None where folders mean nothing.
    """

    name: str
    class_name: str | None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A folder, understood.

    Attributes:
        kind: in words for a person.
        splits: the pictures of each split in natural order; only "all" where there is no split.
        notes: sentences about names that were understood in some way.
        ignored: what is not used, each with a reason.
    """

    kind: str
    splits: dict[str, tuple[Member, ...]]
    notes: tuple[str, ...]
    ignored: tuple[Ignored, ...]

    def names(self) -> tuple[str, ...]:
        """All pictures, split after split."""
        return tuple(member.name for split in self.splits.values() for member in split)


def class_name_of(folder: str) -> str:
    """A folder's name as a class name: the same text on every system.

    macOS writes an accented letter as two characters (NFD), others as one (NFC); here it is one.
    Bytes that are not UTF-8 are spelt out.
    """
    return unicodedata.normalize("NFC", folder.encode("utf-8", "backslashreplace").decode())


def find_layout(listing: Listing) -> Layout:
    """Recognises a folder of classes, of splits, or of plain pictures.

    Args:
        listing: everything in the folder; it holds at least one picture.

    Raises:
        DataError: two folders claim to be the same split.
    """
    prefix, notes = _look_through(listing.pictures)
    direct, groups = _by_folder(listing.pictures, prefix)
    ignored = [*listing.ignored, *_useless(listing)]

    if _are_splits(groups):
        kind, splits, more_notes, more_ignored = _split_folders(groups, prefix)
        ignored += more_ignored + _outside(direct, "outside the split folders")
        notes += more_notes
    elif len(groups) >= 2 or not direct:
        kind = "class folder"
        members = [
            Member(name, class_name_of(top)) for top, names in groups.items() for name in names
        ]
        splits = {ALL: tuple(members)}
        ignored += _outside(direct, "outside the class folders")
    else:
        kind = "flat folder"
        splits = {ALL: tuple(Member(name, None) for name in listing.pictures)}
    return Layout(kind=kind, splits=splits, notes=tuple(notes), ignored=tuple(ignored))


def _look_through(pictures: Sequence[str]) -> tuple[str, list[str]]:
    """Steps into a folder that only wraps the folders that count, as unpacked archives do."""
    prefix = ""
    while True:
        direct, groups = _by_folder(pictures, prefix)
        if direct or len(groups) != 1 or _are_splits(groups):
            break
        inside = f"{prefix}{next(iter(groups))}/"
        deeper_direct, deeper_groups = _by_folder(pictures, inside)
        if deeper_direct or not deeper_groups:
            break
        prefix = inside
    return prefix, [f"everything is in {prefix}, so that is the source"] if prefix else []


def _by_folder(pictures: Sequence[str], prefix: str) -> tuple[list[str], dict[str, list[str]]]:
    """The pictures right under ``prefix``, and the others by the folder there that they are in."""
    direct: list[str] = []
    groups: dict[str, list[str]] = {}
    for name in pictures:
        if not name.startswith(prefix):
            continue
        top, slash, _ = name[len(prefix) :].partition("/")
        if slash:
            groups.setdefault(top, []).append(name)
        else:
            direct.append(name)
    return direct, {top: groups[top] for top in sorted(groups, key=natural_key)}


def _are_splits(groups: dict[str, list[str]]) -> bool:
    """Whether folders are splits and not classes, of which one may well be called "train" too."""
    roles = {SPLIT_NAMES[top.lower()] for top in groups if top.lower() in SPLIT_NAMES}
    return bool(roles) and (
        all(top.lower() in SPLIT_NAMES for top in groups) or ("train" in roles and len(roles) >= 2)
    )


def _split_folders(
    groups: dict[str, list[str]], prefix: str
) -> tuple[str, dict[str, tuple[Member, ...]], list[str], list[Ignored]]:
    """The kind, the splits, notes and what is ignored, of a folder of split folders."""
    folder_of: dict[str, str] = {}
    notes: list[str] = []
    ignored: list[Ignored] = []
    for top in groups:
        role = SPLIT_NAMES.get(top.lower())
        if role is None:
            ignored.append(Ignored(prefix + top, "beside the split folders, but no split"))
            continue
        if role in folder_of:
            raise DataError(
                f"two folders mean {role}: {folder_of[role]} and {top}. Keep one of them, or give "
                "one of them as the source."
            )
        folder_of[role] = top
        if top != role:
            notes.append(f"{top} is used as {role}")

    labelled: dict[str, tuple[Member, ...]] = {}
    plain: dict[str, tuple[Member, ...]] = {}
    for role in sorted(folder_of, key=["train", "val", "test"].index):
        top = folder_of[role]
        direct, classes = _by_folder(groups[top], f"{prefix}{top}/")
        if classes:
            members = [
                Member(name, class_name_of(each))
                for each, names in classes.items()
                for name in names
            ]
            labelled[role] = tuple(members)
            ignored += _outside(direct, "outside the class folders")
        else:
            plain[role] = tuple(Member(name, None) for name in direct)
    if not labelled:
        return "flat folder with splits", plain, notes, ignored
    for role in plain:
        ignored.append(Ignored(prefix + folder_of[role], "without class folders, unlike the rest"))
    return "class folder with splits", labelled, notes, ignored


def _outside(names: Sequence[str], reason: str) -> list[Ignored]:
    return [Ignored(name, reason) for name in names]


def _useless(listing: Listing) -> list[Ignored]:
    """Files that are no pictures, and the topmost of the folders that hold none."""
    holding = {""}
    for name in listing.pictures:
        folder = name.rpartition("/")[0]
        while folder not in holding:
            holding.add(folder)
            folder = folder.rpartition("/")[0]
    empty = [
        Ignored(folder, "holds no pictures")
        for folder in listing.folders
        if folder not in holding and folder.rpartition("/")[0] in holding
    ]
    return [*_outside(listing.others, "not a picture by its ending"), *empty]
