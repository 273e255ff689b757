"""A clip as a video file, for files that may be anything.

Read with PyAV (FFmpeg's libraries), which the extra "video" brings. The containers are an
allow-list, and a file may not lead to others: a playlist that is called .mp4 is refused, not
followed. What goes wrong becomes one kind of error with a short reason.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import UInt8

from saccade.config.run import ShortClips
from saccade.data.clips.frames import evenly_spread
from saccade.data.decoding.decode import PictureHeader, UnreadablePicture, check_size
from saccade.data.pictures import PictureFiles
from saccade.errors import UsageError

if TYPE_CHECKING:  # an optional dependency, imported where it is used
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

VIDEO_ENDINGS = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi"),
    *(".mpg", ".mpeg", ".mts", ".m2ts", ".ogv", ".flv", ".wmv"),
)

MAX_FRAMES = 1_000_000
"""Nine hours at 30 a second; a file that claims more is refused before anything is decoded."""

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,ogg,flv,asf"
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
_SHRINK = (8, 4, 2)  # as JPEG decoders do: a frame may be halved so often


@dataclass(frozen=True)
class VideoFile:
    """One video file.

    Attributes:
        root: the folder that the name starts from.
        name: its path below it, with forward slashes.
    """

    root: Path
    name: str

    def num_bytes(self) -> int:
        """The size of the file; see ``PictureFiles``."""
        return self._file.num_bytes(0)

    def content_hash(self) -> str:
        """A hash of the file's size, its first 16 KiB and its last.

        Recordings of one camera may begin alike; the tables of an MP4 often stand at its end.
        """
        found = hashlib.blake2b(self._file.content_hash(0).encode(), digest_size=8)
        with contextlib.suppress(OSError), (self.root / self.name).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 16 * 1024))
            found.update(file.read())
        return found.hexdigest()

    def header(self) -> PictureHeader:
        """The size and kind of its frames, as the file says, upright as far as that is known.

        Raises:
            UnreadablePicture: it is no video, or damaged.
        """
        with _opened(self.root / self.name) as (_, stream):
            pixels = stream.codec_context.pix_fmt or ""
            is_grey = pixels.startswith(("gray", "mono"))
            return PictureHeader(stream.height, stream.width, is_grey)

    def frames(
        self, *, num_frames: int, short_clips: ShortClips, channels: int, min_side: int | None
    ) -> list[UInt8[np.ndarray, "_H _W C"]]:
        """Some frames, evenly spread over those that the file lists; in the order they are shown.

        Only what is needed is decoded: between two frames that are far apart the file is entered
        again at the last key frame before the later one.

        Raises:
            UnreadablePicture: there are too few, or the file is no video, or damaged.
        """
        with _opened(self.root / self.name) as (container, stream):
            index = _index(container, stream)
            chosen = evenly_spread(len(index.times), asked=num_frames, short_clips=short_clips)
            wanted = sorted(set(chosen))
            found = dict(zip(wanted, _decode(container, stream, index, wanted), strict=False))
            missing = [k for k in wanted if k not in found]
            if missing:
                raise UnreadablePicture(
                    f"frame {missing[0]} of {len(index.times)} cannot be decoded; the file is "
                    "damaged or cut off"
                )
            pixels = {
                k: _pixels(frame, channels=channels, min_side=min_side)
                for k, frame in found.items()
            }
            return [pixels[k] for k in chosen]

    @property
    def _file(self) -> PictureFiles:
        return PictureFiles(self.root, (self.name,))


def is_video_name(name: str) -> bool:
    """Whether a file is called like a video."""
    return name.lower().endswith(VIDEO_ENDINGS)


class _Index(NamedTuple):
    """What a file says about its frames, before any is decoded.

    Attributes:
        times: when each is shown, ascending, in the stream's own unit.
        keys: of those that can be decoded without others, ascending.
    """

    times: list[int]
    keys: list[int]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """The file and its first video stream; whatever FFmpeg raises gets a short reason."""
    try:
        import av  # noqa: PLC0415  optional, and slow to import
    except ImportError:
        raise UsageError(
            "video files need the package av, which is not installed: pip install 'saccade[video]'"
            " (folders of frames need nothing)"
        ) from None
    try:
        if path.stat().st_size == 0:
            raise UnreadablePicture("it has no frames: the file is empty")
        with (
            path.open("rb") as file,
            av.open(file, mode="r", container_options=_OPTIONS) as container,
        ):
            if not container.streams.video:
                raise UnreadablePicture("it has no frames: there is no video in the file")
            stream = container.streams.video[0]
            check_size(stream.height, stream.width)
            stream.codec_context.thread_count = 1  # clips are decoded side by side already
            yield container, stream
    except (UnreadablePicture, UsageError):
        raise
    except FileNotFoundError as error:
        raise UnreadablePicture("the file does not exist") from error
    # Hostile bytes make a decoder raise nearly every type there is; none of them may end a run.
    except Exception as error:
        text = error.strerror if isinstance(error, av.FFmpegError) else str(error)
        message = " ".join((text or "").split())[:120] or type(error).__name__
        raise UnreadablePicture(f"cannot be read as a video: {message}") from error


def _index(container: "InputContainer", stream: "VideoStream") -> _Index:
    """Reads through the file without decoding; its own count of frames is often wrong or absent."""
    times, keys = [], []
    for packet in container.demux(stream):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or packet.size == 0:
            continue  # the empty packet at the end, which flushes the decoder
        times.append(time)
        if packet.is_keyframe:
            keys.append(time)
        if len(times) > MAX_FRAMES:
            raise UnreadablePicture(f"it has more than the {MAX_FRAMES:,} frames that are read")
    return _Index(sorted(times), sorted(keys))


def _decode(
    container: "InputContainer", stream: "VideoStream", index: _Index, wanted: Sequence[int]
) -> Iterator["VideoFrame"]:
    """The frames with these numbers (ascending), as far as they can be decoded."""
    frames: Iterator[VideoFrame] = iter(())
    reached = None  # the time of the last frame that was decoded
    for number in wanted:
        time = index.times[number]
        last_key = max((key for key in index.keys if key <= time), default=index.times[0])
        if reached is None or last_key > reached:
            container.seek(last_key, stream=stream)
            frames = container.decode(stream)
        for frame in frames:
            check_size(frame.height, frame.width)
            reached = frame.pts if frame.pts is not None else frame.dts
            if reached is None or reached >= time:
                yield frame
                break
        else:
            return


def _pixels(
    frame: "VideoFrame", *, channels: int, min_side: int | None
) -> UInt8[np.ndarray, "H W C"]:
    """A frame as bytes, upright, shrunk as far as nobody will notice."""
    short = min(frame.height, frame.width)
    by = 1 if min_side is None else next((n for n in _SHRINK if short // n >= min_side), 1)
    array = frame.to_ndarray(
        width=frame.width // by,
        height=frame.height // by,
        format="gray" if channels == 1 else "rgb24",
        interpolation="AREA",
    ).reshape(frame.height // by, frame.width // by, channels)
    return np.ascontiguousarray(np.rot90(array, k=round(frame.rotation / 90)))
