"""Clips: pictures in a row, of which a model is given a few, evenly spread."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from saccade.config.run import Preprocess, ShortClips
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.pictures import Pictures
from saccade.data.preprocess import fit_picture
from saccade.data.samples import count


@runtime_checkable
class Clips(Pictures, Protocol):
    """Clips numbered from 0; as pictures they show one frame, the middle one."""

    def frames(
        self,
        i: int,
        *,
        num_frames: int,
        short_clips: ShortClips,
        channels: int,
        min_side: int | None,
    ) -> list[UInt8[np.ndarray, "_H _W C"]]:
        """Frames of clip ``i`` in their order, evenly spread; they may differ in size.

        Raises:
            UnreadablePicture: the clip cannot be read, or has fewer frames and none is to be shown
                twice.
        """
        ...


def read_clip(clips: Clips, i: int, preprocess: Preprocess) -> UInt8[np.ndarray, "T C H W"]:
    """Loads clip ``i`` and fits each of its frames to the model's size.

    Raises:
        UnreadablePicture: see ``Clips.frames``.
    """
    frames = clips.frames(
        i,
        num_frames=preprocess.num_frames,
        short_clips=preprocess.short_clips,
        channels=preprocess.channels,
        min_side=max(preprocess.height, preprocess.width, preprocess.resize_side),
    )
    return np.stack([fit_picture(frame, preprocess) for frame in frames])


def evenly_spread(num_frames: int, *, asked: int, short_clips: ShortClips) -> list[int]:
    """Which frames of a clip to take: the middle one of each of so many equal stretches.

    Args:
        num_frames: that the clip has.
        asked: how many to take.
        short_clips: what to do where the clip has fewer; ``repeat`` shows some of them more often.

    Raises:
        UnreadablePicture: there is no frame, or there are too few.
    """
    if num_frames == 0:
        raise UnreadablePicture("it has no frames")
    if num_frames < asked and short_clips == "refuse":
        raise UnreadablePicture(
            f"it has {count(num_frames, 'frame')}, and the model is given {asked}; train with "
            f"--set task.num_frames={num_frames}, or with --set task.short_clips=repeat to show "
            "frames of short clips more than once"
        )
    return [(2 * k + 1) * num_frames // (2 * asked) for k in range(asked)]
