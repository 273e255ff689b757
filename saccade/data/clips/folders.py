"""A clip as a folder of pictures, one for each frame."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from saccade.config.run import ShortClips
from saccade.data.clips.frames import evenly_spread
from saccade.data.decoding.decode import PictureHeader, UnreadablePicture
from saccade.data.pictures import PictureFiles


@dataclass(frozen=True)
class FrameFolder:
    """The frames of one clip, in their order.

    Attributes:
        root: the folder that the names start from.
        names: paths of the frames below it, with forward slashes.
    """

    root: Path
    names: tuple[str, ...]

    def num_bytes(self) -> int:
        """The size of all frames together; one that is gone has none."""
        return sum(int(self._files.stamp(k)) for k in range(len(self.names)))

    def content_hash(self) -> str:
        """A hash of how many frames there are, how large each is, and how the middle one begins."""
        sizes = " ".join(self._files.stamp(k) for k in range(len(self.names)))
        middle = self._files.content_hash(len(self.names) // 2)
        return hashlib.blake2b(f"{sizes} {middle}".encode(), digest_size=8).hexdigest()

    def header(self) -> PictureHeader:
        """The size and kind of the middle frame.

        Raises:
            UnreadablePicture: it is gone or damaged.
        """
        return self._files.header(len(self.names) // 2)

    def frames(
        self, *, num_frames: int, short_clips: ShortClips, channels: int, min_side: int | None
    ) -> list[UInt8[np.ndarray, "_H _W C"]]:
        """Some frames, evenly spread, each in its own size.

        Raises:
            UnreadablePicture: there are too few, or one of them is damaged; its name is said.
        """
        chosen = evenly_spread(len(self.names), asked=num_frames, short_clips=short_clips)
        decoded: dict[int, UInt8[np.ndarray, "_H _W C"]] = {}
        for k in chosen:
            if k in decoded:
                continue
            try:
                decoded[k] = self._files.load(k, channels=channels, min_side=min_side)
            except UnreadablePicture as error:
                frame = self._files.name(k).rpartition("/")[2]
                raise UnreadablePicture(f"its frame {frame}: {error}") from error
        return [decoded[k] for k in chosen]

    @property
    def _files(self) -> PictureFiles:
        return PictureFiles(self.root, self.names)
