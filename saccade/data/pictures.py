"""Many pictures by number, wherever they lie: in files or in one array."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saccade.data.decoding.decode import PictureHeader, UnreadablePicture, decode, read_header

_HASHED_BYTES = 16 * 1024


@runtime_checkable  # only so that the tests can check annotations with it
class Pictures(Protocol):
    """Pictures numbered from 0; every method but ``__len__`` and ``name`` may touch the disk."""

    def __len__(self) -> int: ...

    def name(self, i: int) -> str:
        """What a person calls picture ``i``: a path with forward slashes, or ``split#index``."""
        ...

    def num_bytes(self, i: int) -> int:
        """How many bytes picture ``i`` takes where it lies."""
        ...

    def stamp(self, i: int) -> str:
        """A cheap sign that changes when picture ``i`` is replaced; see ``fingerprint``."""
        ...

    def content_hash(self, i: int) -> str:
        """A hash of what picture ``i`` is, whatever its name; a renamed copy has the same."""
        ...

    def header(self, i: int) -> PictureHeader:
        """The size and kind of picture ``i``, without decoding it."""
        ...

    def load(self, i: int, *, channels: int, min_side: int | None) -> UInt8[np.ndarray, "H W C"]:
        """The pixels of picture ``i``; see ``decode`` for the arguments and what it raises."""
        ...

    def stack(
        self, *, height: int, width: int, channels: int
    ) -> UInt8[np.ndarray, "N C H W"] | None:
        """All pictures at once where they lie in memory in just this size; None elsewhere.

        The array may share the pictures' memory: it is for reading.
        """
        ...


@dataclass(frozen=True)
class PictureFiles:
    """Picture files under one folder.

    Attributes:
        root: the folder the names start from.
        names: paths below it, with forward slashes. They need not exist or be pictures: whoever
            loads such a one gets UnreadablePicture.
    """

    root: Path
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def name(self, i: int) -> str:
        """The path of file ``i`` below ``root``; bytes that are not UTF-8 are spelt out."""
        return self.names[i].encode("utf-8", "backslashreplace").decode()

    def num_bytes(self, i: int) -> int:
        """The size of file ``i``.

        Raises:
            UnreadablePicture: the file is gone.
        """
        try:
            return (self.root / self.names[i]).stat().st_size
        except OSError as error:
            raise UnreadablePicture(_file_reason(error)) from error

    def stamp(self, i: int) -> str:
        """The size of file ``i`` in bytes; a file that is gone has size 0."""
        try:
            return str(self.num_bytes(i))
        except UnreadablePicture:
            return "0"

    def content_hash(self, i: int) -> str:
        """A hash of the size and the first 16 KiB of file ``i``; a file that is gone has one too.

        Photographs of one camera differ within their first kilobytes, so a large set is hashed
        without being read whole.
        """
        try:
            with (self.root / self.names[i]).open("rb") as file:
                start = file.read(_HASHED_BYTES)
        except OSError:
            start = b""
        return hashlib.blake2b(self.stamp(i).encode() + b" " + start, digest_size=8).hexdigest()

    def header(self, i: int) -> PictureHeader:
        """The header of file ``i``.

        Raises:
            UnreadablePicture: the file is gone or its header cannot be used.
        """
        return read_header(self._read(i))

    def load(self, i: int, *, channels: int, min_side: int | None) -> UInt8[np.ndarray, "H W C"]:
        """Decodes file ``i``.

        Raises:
            UnreadablePicture: the file is gone or is not a whole picture.
        """
        return decode(self._read(i), channels=channels, min_side=min_side)

    def stack(self, *, height: int, width: int, channels: int) -> None:  # noqa: ARG002  as in Pictures
        """None: files are not in memory."""
        return

    def _read(self, i: int) -> bytes:
        try:
            return (self.root / self.names[i]).read_bytes()
        except OSError as error:
            raise UnreadablePicture(_file_reason(error)) from error


@dataclass(frozen=True)
class PictureArray:
    """Pictures of one size that lie in memory.

    Attributes:
        images: grey (C = 1) or RGB (C = 3), 0 to 255.
        title: what the array is called, for names such as ``train#17``.
    """

    images: UInt8[np.ndarray, "N H W C"]
    title: str

    def __len__(self) -> int:
        return len(self.images)

    def name(self, i: int) -> str:
        """``title#i``."""
        return f"{self.title}#{i}"

    def num_bytes(self, i: int) -> int:
        """The bytes of one picture, the same for all."""
        return self.images[i].nbytes

    def stamp(self, i: int) -> str:
        """A hash of the pixels."""
        return hashlib.blake2b(self.images[i].tobytes(), digest_size=8).hexdigest()

    def content_hash(self, i: int) -> str:
        """A hash of the pixels."""
        return self.stamp(i)

    def header(self, i: int) -> PictureHeader:
        """The size of picture ``i``, the same for all."""
        height, width, channels = self.images[i].shape
        return PictureHeader(height, width, is_grey=channels == 1)

    def load(
        self,
        i: int,
        *,
        channels: int,
        min_side: int | None,  # noqa: ARG002  nothing is decoded, so nothing can be decoded smaller
    ) -> UInt8[np.ndarray, "H W C"]:
        """A copy of picture ``i`` in grey or RGB, always in full size."""
        picture = self.images[i]
        if picture.shape[2] == channels:
            return picture.copy()
        if channels == 3:
            return np.repeat(picture, 3, axis=2)
        return np.array(Image.fromarray(picture).convert("L"))[:, :, None]

    def stack(
        self, *, height: int, width: int, channels: int
    ) -> UInt8[np.ndarray, "N C H W"] | None:
        """A view of all pictures if they have this size and these channels."""
        if self.images.shape[1:] != (height, width, channels):
            return None
        return self.images.transpose(0, 3, 1, 2)


def _file_reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file does not exist"
    return f"the file cannot be read: {error.strerror or error}"
