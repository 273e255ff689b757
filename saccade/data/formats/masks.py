"""Masks in files of their own: a picture whose pixels are numbers or colours of classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64, Integer, UInt8

from saccade.data.annotations import IGNORED_CLASS, IGNORED_SEGMENT, ClassMap, Segments
from saccade.data.decoding.decode import UnreadablePicture, decode_numbers
from saccade.data.formats.class_lists import ClassList
from saccade.data.pictures import PictureFiles

_COLOUR_DISTANCE = 60.0  # of 442; a pixel farther from every named colour is of no class
_SHOWN = 5

Meaning = Literal["numbers", "colours", "instances"]
"""What the pixels of masks say: class numbers, class colours, or which object they belong to."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassMaps:
    """Masks that say the class of each pixel.

    Attributes:
        files: a mask for each picture.
        classes: what numbers and colours stand for. 255 stands for pixels of which nothing is
            known, unless it is the number of a class.
        meaning: how they say it.
    """

    files: PictureFiles
    classes: ClassList
    meaning: Literal["numbers", "colours"]

    def load(self, i: int) -> ClassMap:
        """The class of each pixel of picture ``i``.

        Raises:
            UnreadablePicture: the mask is broken, or holds a number that has no name.
        """
        found = read_numbers(self.files, i)
        if self.meaning == "colours":
            return ClassMap(classes=self._from_colours(_as_colours(found)))
        if found.ndim == 3:
            raise UnreadablePicture("its mask is in colour, the others hold numbers of classes")
        return ClassMap(classes=self._from_numbers(found))

    def stamp(self, i: int) -> str:
        """The size of the mask's file."""
        return self.files.stamp(i)

    def _from_numbers(self, found: Integer[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
        table = np.full(256, -1)
        table[IGNORED_CLASS] = IGNORED_CLASS
        table[list(self.classes.numbers)] = np.arange(len(self.classes.numbers))
        is_known = (found >= 0) & (found < 256)
        is_known[is_known] = table[found[is_known]] >= 0
        if not is_known.all():
            unknown = np.unique(found[~is_known]).tolist()
            more = ", ..." if len(unknown) > _SHOWN else ""
            raise UnreadablePicture(
                f"its mask holds {', '.join(map(str, unknown[:_SHOWN]))}{more}, which has no name; "
                f"named are {_ranges(self.classes.numbers)}, and 255 is for pixels to ignore"
            )
        return table[found].astype(np.uint8)

    def _from_colours(self, found: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W"]:
        """The class of the nearest colour: saving as JPEG changes colours a little."""
        packed = found.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
        different, where = np.unique(packed, return_inverse=True)
        colours = np.stack([different >> 16, different >> 8 & 255, different & 255], axis=1)
        named = np.array(self.classes.colours, dtype=np.float64)
        least, nearest = np.full(len(colours), np.inf), np.zeros(len(colours), dtype=np.int64)
        for label, colour in enumerate(named):  # one at a time: a photograph has many colours
            distance = np.linalg.norm(colours - colour, axis=1)
            nearest[distance < least] = label
            least = np.minimum(least, distance)
        nearest[least > _COLOUR_DISTANCE] = IGNORED_CLASS
        return nearest[where].reshape(found.shape[:2]).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class InstanceMaps:
    """Masks that number the objects of each picture, all of one class.

    0 stands where there is none; below 0 is where nothing is known.
    """

    files: PictureFiles

    def load(self, i: int) -> Segments:
        """The objects of picture ``i``, numbered without gaps.

        Raises:
            UnreadablePicture: the mask is broken or in colour.
        """
        found = read_numbers(self.files, i)
        if found.ndim == 3:
            raise UnreadablePicture("its mask is in colour; expected the number of an object")
        numbers, where = np.unique(found, return_inverse=True)
        ranks = np.cumsum(numbers > 0)  # 1, 2, ... for the numbers above 0, which come last
        ranked = np.where(numbers < 0, IGNORED_SEGMENT, ranks)
        segments = ranked[where].reshape(found.shape).astype(np.int32)
        return Segments(segments=segments, labels=np.zeros(int(ranks[-1]), dtype=np.int64))

    def stamp(self, i: int) -> str:
        """The size of the mask's file."""
        return self.files.stamp(i)


def read_numbers(
    files: PictureFiles, i: int
) -> Integer[np.ndarray, "H W"] | UInt8[np.ndarray, "H W 3"]:
    """What the pixels of mask ``i`` hold.

    Raises:
        UnreadablePicture: the mask is gone or broken; the reason says that it is the mask.
    """
    try:
        return decode_numbers(Path(files.root / files.names[i]).read_bytes())
    except OSError as error:
        raise UnreadablePicture(
            f"its mask {files.name(i)} cannot be read: {error.strerror}"
        ) from error
    except UnreadablePicture as error:
        raise UnreadablePicture(f"its mask {files.name(i)}: {error}") from error


def packed(
    found: Integer[np.ndarray, "H W"] | UInt8[np.ndarray, "H W 3"],
) -> Int64[np.ndarray, "H W"]:
    """One number a pixel: of a colour red + 256 green + 65,536 blue, as COCO does."""
    numbers = found.astype(np.int64)
    return numbers if found.ndim == 2 else numbers @ np.array([1, 1 << 8, 1 << 16])


def _as_colours(
    found: Integer[np.ndarray, "H W"] | UInt8[np.ndarray, "H W 3"],
) -> UInt8[np.ndarray, "H W 3"]:
    """A mask that happens to hold only greys is stored as such by many programs."""
    if found.ndim == 3:
        return found.astype(np.uint8)
    return np.repeat(found.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _ranges(numbers: tuple[int, ...]) -> str:
    if numbers == tuple(range(len(numbers))):
        return f"0 to {len(numbers) - 1}"
    return ", ".join(map(str, numbers))
