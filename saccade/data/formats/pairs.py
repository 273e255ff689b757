"""Pairs of pictures, the second being what the first is to become."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from saccade.data.annotations import Partner
from saccade.data.decoding.decode import PictureHeader, UnreadablePicture
from saccade.data.formats.objects import SPLIT_ORDER, split_samples
from saccade.data.formats.twins import Twins, find_twins, settle_splits, split_in
from saccade.data.listing import Ignored, Listing, natural_key
from saccade.data.pictures import PictureFiles, Pictures
from saccade.data.samples import Source
from saccade.errors import DataError

Pairs = Literal["auto", "folders", "left-right", "right-left"]
"""Two folders, or the halves of each picture: which half becomes which."""

_OBVIOUS = (("input", "target"), ("inputs", "targets"), ("source", "target"))
_POSSIBLE = (  # classes may have such names too, so they count only where pairs are asked for
    *(("a", "b"), ("x", "y"), ("before", "after"), ("low", "high"), ("condition", "picture")),
)
_SHOWN = 10
_HALVES = {
    "left-right": "left-right",
    "side-by-side": "left-right",
    "side_by_side": "left-right",
    "right-left": "right-left",
}


def find_pairs(listing: Listing) -> Twins | None:
    """Looks for two folders such as ``input`` and ``target``; None if there are none."""
    return find_twins(listing, (*_OBVIOUS, *_POSSIBLE))


def are_pairs(listing: Listing) -> bool:
    """Whether there are two folders that can hardly be anything else."""
    return find_twins(listing, _OBVIOUS) is not None


def open_pair_folders(given: str, root: Path, listing: Listing, twins: Twins) -> Source:
    """The source of two folders.

    Raises:
        DataError: a picture has no partner, or two might be it; such names are said, up to a
            number.
    """
    first, second = twins.folders
    told = [
        f"{len(names)} only in {folder}: {', '.join(names[:_SHOWN])}"
        f"{', ...' if len(names) > _SHOWN else ''}"
        for folder, names in zip(twins.folders, twins.lonely, strict=True)
        if names
    ]
    if told:
        raise DataError(
            f"{given}: pictures without a partner, {'; '.join(told)}. Each picture in {first} "
            f"needs one of the same name in {second} (the ending may differ); add or remove them."
        )
    if twins.twice:
        raise DataError(
            f"{given}: pictures of one name in one folder, {', '.join(twins.twice[:_SHOWN])}; "
            "partners are found by their names without endings, so each must be different"
        )
    splits, outside = settle_splits([(each.first, each.split) for each in twins.pairs])
    pairs = [each for each in twins.pairs if each.split in splits]
    pairs.sort(key=lambda each: (SPLIT_ORDER.index(each.split), natural_key(each.first)))
    used = {name for each in twins.pairs for name in (each.first, each.second)}
    ignored = [
        Ignored(name, f"in neither {first} nor {second}")
        for name in listing.pictures
        if name not in used
    ]
    partners = Partners(PictureFiles(root, tuple(each.second for each in pairs)))
    return Source(
        path=given,
        kind="pairs of pictures",
        class_names=None,
        splits=split_samples(
            PictureFiles(root, tuple(each.first for each in pairs)),
            [each.split for each in pairs],
            partners,
        ),
        notes=(f"{first} becomes {second}",),
        ignored=(*listing.ignored, *outside, *ignored),
    )


def halves_by_name(path: Path) -> Literal["left-right", "right-left"] | None:
    """What the name of a folder, or of one above it, says about halves."""
    said = (_HALVES.get(part.lower()) for part in reversed(path.resolve().parts))
    return next((each for each in said if each == "left-right" or each == "right-left"), None)


def are_wide(root: Path, listing: Listing) -> bool:
    """Whether pictures are twice as wide as high, all of a few that are looked at."""
    files = PictureFiles(root, listing.pictures)
    shapes = []
    for i in sorted({k * len(files) // _SHOWN for k in range(_SHOWN)} if len(files) else ()):
        try:
            header = files.header(i)
        except UnreadablePicture:
            continue
        shapes.append(header.width == 2 * header.height)
    return bool(shapes) and all(shapes)


def open_halves(
    given: str,
    root: Path,
    listing: Listing,
    *,
    order: Literal["left-right", "right-left"],
    notes: Sequence[str],
) -> Source:
    """The source of pictures that hold both, side by side."""
    named = [(name, split_in(name)) for name in listing.pictures]
    splits, outside = settle_splits(named)
    named = [each for each in named if each[1] in splits]
    named.sort(key=lambda each: (SPLIT_ORDER.index(each[1]), natural_key(each[0])))
    names = tuple(name for name, _ in named)
    files = PictureFiles(root, names)
    first, second = Halves(files, "left"), Halves(files, "right")
    if order == "right-left":
        first, second = second, first
    return Source(
        path=given,
        kind="pairs of pictures side by side",
        class_names=None,
        splits=split_samples(first, [split for _, split in named], Partners(second)),
        notes=(*notes, f"the {first.side} half becomes the {second.side} half"),
        ignored=(*listing.ignored, *outside),
    )


@dataclass(frozen=True)
class Halves:
    """One half of each of many pictures; an odd column in the middle belongs to neither."""

    files: PictureFiles
    side: Literal["left", "right"]

    def __len__(self) -> int:
        return len(self.files)

    def name(self, i: int) -> str:
        """The path of the whole picture."""
        return self.files.name(i)

    def num_bytes(self, i: int) -> int:
        """Of the whole picture.

        Raises:
            UnreadablePicture: the file is gone.
        """
        return self.files.num_bytes(i)

    def stamp(self, i: int) -> str:
        """Of the whole picture."""
        return self.files.stamp(i)

    def content_hash(self, i: int) -> str:
        """Of the whole picture."""
        return self.files.content_hash(i)

    def header(self, i: int) -> PictureHeader:
        """The size and kind of the half.

        Raises:
            UnreadablePicture: the file is gone, its header cannot be used, or it has one column.
        """
        header = self.files.header(i)
        if header.width < 2:
            raise UnreadablePicture("one pixel wide, so it has no halves")
        return header._replace(width=header.width // 2)

    def load(
        self,
        i: int,
        *,
        channels: int,
        min_side: int | None,  # noqa: ARG002  decoded smaller, the halves might differ in size
    ) -> UInt8[np.ndarray, "H W C"]:
        """Decodes the picture, whole and in full size, and cuts it.

        Raises:
            UnreadablePicture: the file is gone, is not a whole picture, or has one column.
        """
        width = self.header(i).width
        picture = self.files.load(i, channels=channels, min_side=None)
        return picture[:, :width].copy() if self.side == "left" else picture[:, -width:].copy()

    def stack(self, *, height: int, width: int, channels: int) -> None:  # noqa: ARG002  as in Pictures
        """None: files are not in memory."""
        return


@dataclass(frozen=True, eq=False)
class Partners:
    """What each picture is to become."""

    pictures: Pictures

    def load(self, i: int) -> Partner:
        """The partner of picture ``i``, in colour unless it stores none.

        Raises:
            UnreadablePicture: it is gone or damaged; the reason says that it is the partner.
        """
        try:
            channels = 1 if self.pictures.header(i).is_grey else 3
            image = self.pictures.load(i, channels=channels, min_side=None)
        except UnreadablePicture as error:
            raise UnreadablePicture(f"its partner {self.pictures.name(i)}: {error}") from error
        return Partner(image=image)

    def stamp(self, i: int) -> str:
        """The partner's own."""
        return self.pictures.stamp(i)
