"""Clips that are too short, found before any of them is read."""

from collections.abc import Iterable

from saccade.data.clips.folders import FrameFolder
from saccade.data.clips.sources import ClipList
from saccade.data.samples import Samples
from saccade.errors import DataError

_SHOWN = 5


def require_long_enough(
    parts: Iterable[Samples], *, asked: int, spares: int, max_bad_fraction: float
) -> None:
    """Refuses clips of which too many have fewer frames than a model is given.

    Only folders of frames are counted: how long a video file is shows when it is read.

    Args:
        parts: of one source.
        asked: frames that are read of each clip.
        spares: how many of them for each frame that the model is given.
        max_bad_fraction: the share of all clips that may be too short; those are left out when
            they are met.

    Raises:
        DataError: more are; with what would fit them.
    """
    total, short = 0, {}
    for samples in parts:
        total += len(samples)
        if not isinstance(samples.pictures, ClipList):
            continue
        for i in samples.ids.tolist():
            clip = samples.pictures.clips[i]
            if isinstance(clip, FrameFolder) and len(clip.names) < asked:
                short[samples.pictures.name(i)] = len(clip.names)
    if len(short) <= max_bad_fraction * total:
        return
    fewest = min(short.values())
    fitting = fewest // spares
    shorter = f"train with --set task.num_frames={fitting}, or " if fitting > 0 else "train "
    named = "".join(f"\n  {name}: {n}" for name, n in list(short.items())[:_SHOWN])
    raise DataError(
        f"{len(short)} of {total} clips have fewer than the {asked} frames that are read of "
        f"each, the shortest {fewest}; {max_bad_fraction:.1%} are allowed "
        f"(data.max_bad_fraction). To use them {shorter}with --set task.short_clips=repeat to show "
        f"frames of short clips more than once. The first, with their frames:{named}"
    )
