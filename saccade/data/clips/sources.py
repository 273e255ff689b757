"""What a person points at when the pictures move: video files and folders of frames."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from saccade.config.run import ShortClips
from saccade.data.clips.files import VIDEO_ENDINGS, VideoFile, is_video_name
from saccade.data.clips.folders import FrameFolder
from saccade.data.decoding.decode import PictureHeader, UnreadablePicture
from saccade.data.groups import GROUPS_FILE, read_groups, require_apart
from saccade.data.layout import ALL, find_layout
from saccade.data.listing import Ignored, Listing, list_folder
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths, as_list, missing, split_by_layout
from saccade.errors import DataError, UsageError

Clip = FrameFolder | VideoFile

_WANTED = (
    f"A clip is a video file ({', '.join(VIDEO_ENDINGS)}) or a folder of numbered pictures, in a "
    "folder named after its class: wave/clip1.mp4, or wave/clip1/001.jpg, wave/clip1/002.jpg"
)


@dataclass(frozen=True)
class ClipList:
    """Clips by number, video files and folders of frames mixed as they come.

    Attributes:
        names: what a person calls them.
        clips: where they lie.
    """

    names: tuple[str, ...]
    clips: tuple[Clip, ...]

    def __len__(self) -> int:
        return len(self.clips)

    def name(self, i: int) -> str:
        """The path of clip ``i``; bytes that are not UTF-8 are spelt out."""
        return self.names[i].encode("utf-8", "backslashreplace").decode()

    def num_bytes(self, i: int) -> int:
        """The bytes of clip ``i``, all its frames together."""
        return self.clips[i].num_bytes()

    def stamp(self, i: int) -> str:
        """The bytes of clip ``i``; 0 where it is gone."""
        try:
            return str(self.num_bytes(i))
        except UnreadablePicture:
            return "0"

    def content_hash(self, i: int) -> str:
        """A hash of parts of clip ``i``, whatever its name."""
        return self.clips[i].content_hash()

    def header(self, i: int) -> PictureHeader:
        """The size and kind of the middle frame of clip ``i``.

        Raises:
            UnreadablePicture: it is gone or damaged.
        """
        return self.clips[i].header()

    def load(self, i: int, *, channels: int, min_side: int | None) -> UInt8[np.ndarray, "H W C"]:
        """The middle frame of clip ``i``.

        Raises:
            UnreadablePicture: it is gone or damaged.
        """
        (frame,) = self.frames(
            i, num_frames=1, short_clips="refuse", channels=channels, min_side=min_side
        )
        return frame

    def frames(
        self,
        i: int,
        *,
        num_frames: int,
        short_clips: ShortClips,
        channels: int,
        min_side: int | None,
    ) -> list[UInt8[np.ndarray, "_H _W C"]]:
        """Frames of clip ``i``, evenly spread.

        Raises:
            UnreadablePicture: it is gone or damaged, or has too few frames.
        """
        return self.clips[i].frames(
            num_frames=num_frames, short_clips=short_clips, channels=channels, min_side=min_side
        )

    def stack(self, *, height: int, width: int, channels: int) -> None:  # noqa: ARG002  as in Pictures
        """None: clips are not in memory."""
        return


def open_clips(path: str | Path) -> Source:
    """Recognises a source of clips by what is in it; no frame is decoded.

    Args:
        path: a folder of classes, or of splits with classes in them, that hold video files, or
            folders of frames; a folder with ``groups.csv`` (see ``saccade.data.groups``); one video
            file; or the frames of one clip.

    Raises:
        UsageError: there is nothing at the path, or a file that is no video.
        DataError: it holds no clips, classes that differ between splits, or clips of one group in
            two splits.
    """
    given, path = str(path), Path(path)
    if not path.is_dir():
        return _one(given, VideoFile(path.parent, _video_name(path)), "video")
    listing = list_folder(path)
    found = _find_clips(path, listing)
    if not found:
        raise DataError(f"{given}: no clips found. {_WANTED}")
    if list(found) == [""]:
        return _one(given, found[""], "folder of frames")

    layout = find_layout(_clips_as_pictures(found))
    clips = ClipList(layout.names(), tuple(found[name] for name in layout.names()))
    groups, notes = read_groups(path / GROUPS_FILE, clips.names)
    class_names, splits = split_by_layout(given, layout, clips)
    splits = {split: replace(samples, noun="clip") for split, samples in splits.items()}
    if groups is not None:
        splits = {
            split: replace(samples, groups=groups.numbers[samples.ids])
            for split, samples in splits.items()
        }
        require_apart(given, splits, groups)
    return Source(
        path=given,
        kind=f"{layout.kind} of {_kinds(clips)}",
        class_names=class_names,
        splits=splits,
        notes=(*layout.notes, *notes),
        ignored=(*layout.ignored, *_passed_over(listing, found)),
    )


def open_clip_inputs(paths: Paths) -> Samples:
    """Clips to answer for, in the order given.

    Args:
        paths: a video file, a folder of frames or a folder of either; or several, mixed. A file
            that is no video is kept, so that its row can say so.

    Returns:
        Unlabelled samples; their names are the paths as given.

    Raises:
        UsageError: no path was given, or nothing is there.
        DataError: the folders hold no clips.
    """
    names: list[str] = []
    clips: list[Clip] = []
    paths = as_list(paths)
    for path in paths:
        if path.is_dir():
            for name, clip in _find_clips(path, list_folder(path)).items():
                names.append((path / name).as_posix())
                clips.append(clip)
        elif path.exists():
            names.append(path.as_posix())
            clips.append(VideoFile(path.parent, path.name))
        else:
            raise UsageError(missing(path))
    if not paths:
        raise UsageError("no clips given: name video files or folders of frames")
    if not names:
        raise DataError(f"{', '.join(map(str, paths))}: no clips found. {_WANTED}")
    return _unlabelled(ClipList(tuple(names), tuple(clips)))


def _unlabelled(clips: ClipList) -> Samples:
    return Samples(pictures=clips, ids=np.arange(len(clips)), labels=None, noun="clip")


def _one(given: str, clip: Clip, kind: str) -> Source:
    return Source(
        path=given,
        kind=kind,
        class_names=None,
        splits={ALL: _unlabelled(ClipList((given,), (clip,)))},
        notes=(),
        ignored=(),
    )


def _video_name(path: Path) -> str:
    """The name of an existing video file."""
    if not path.exists():
        raise UsageError(missing(path))
    if not is_video_name(path.name):
        raise UsageError(f"{path} is not a source of clips. {_WANTED}")
    return path.name


def _find_clips(root: Path, listing: Listing) -> dict[str, Clip]:
    """The clips of a folder by their path below it, in natural order.

    A folder of pictures is a clip where it holds no clip itself: pictures that lie beside videos,
    or beside folders of frames, are previews.
    """
    clips: dict[str, Clip] = {
        name: VideoFile(root, name) for name in listing.others if is_video_name(name)
    }
    holding = {above for name in clips for above in _folders_above(name)}
    frames: dict[str, list[str]] = {}
    for name in listing.pictures:
        frames.setdefault(name.rpartition("/")[0], []).append(name)
    holding |= {above for folder in frames if folder for above in _folders_above(folder)}
    for folder, names in frames.items():
        if folder not in holding:
            clips[folder] = FrameFolder(root, tuple(names))
    return clips


def _folders_above(name: str) -> list[str]:
    """``a/b/c`` lies in ``a/b``, in ``a`` and in the root, which is ``""``."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]


def _clips_as_pictures(clips: dict[str, Clip]) -> Listing:
    """A listing in which each clip stands where a picture would; the rest is told elsewhere."""
    return Listing(pictures=tuple(clips), others=(), folders=(), ignored=())


def _passed_over(listing: Listing, clips: dict[str, Clip]) -> list[Ignored]:
    framed = {
        name for clip in clips.values() if isinstance(clip, FrameFolder) for name in clip.names
    }
    others = [name for name in listing.others if name not in clips and name != GROUPS_FILE]
    return [
        *listing.ignored,
        *(Ignored(name, "not a video by its ending") for name in others),
        *(
            Ignored(name, "a picture beside clips")
            for name in listing.pictures
            if name not in framed
        ),
    ]


def _kinds(clips: ClipList) -> str:
    has_files = any(isinstance(clip, VideoFile) for clip in clips.clips)
    has_folders = any(isinstance(clip, FrameFolder) for clip in clips.clips)
    if has_files and has_folders:
        return "videos and folders of frames"
    return "videos" if has_files else "folders of frames"
