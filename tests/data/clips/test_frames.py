"""Of a clip a model is given the middle frames of equal stretches, each fitted to its size."""

from dataclasses import dataclass

import numpy as np
import pytest
from jaxtyping import UInt8

from saccade.config.run import Preprocess, ShortClips
from saccade.data.clips.frames import evenly_spread, read_clip
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.pictures import PictureArray
from saccade.data.preprocess import fit_picture


@dataclass(frozen=True)
class Recorded(PictureArray):
    """One clip whose frames grow, and which remembers what it was asked for."""

    asked: list[dict[str, object]]

    def frames(
        self,
        i: int,
        *,
        num_frames: int,
        short_clips: ShortClips,
        channels: int,
        min_side: int | None,
    ) -> list[UInt8[np.ndarray, "_H _W C"]]:
        self.asked.append({"short_clips": short_clips, "min_side": min_side})
        return [np.full((6 + k, 9, channels), k, np.uint8) for k in range(num_frames)]


def test_frames_are_the_middles_of_equal_stretches():
    assert evenly_spread(9, asked=3, short_clips="refuse") == [1, 4, 7]
    assert evenly_spread(10, asked=4, short_clips="refuse") == [1, 3, 6, 8]
    assert evenly_spread(5, asked=1, short_clips="refuse") == [2]
    for n in range(1, 40):
        assert evenly_spread(n, asked=n, short_clips="refuse") == list(range(n))


@pytest.mark.parametrize("num_frames", [1, 3, 5, 7])
def test_a_short_clip_that_may_repeat_shows_every_frame_in_order(num_frames: int):
    chosen = evenly_spread(num_frames, asked=8, short_clips="repeat")
    assert len(chosen) == 8
    assert chosen == sorted(chosen)
    assert set(chosen) == set(range(num_frames))


def test_a_clip_shorter_than_asked_is_refused_with_both_numbers_and_two_ways_out():
    with pytest.raises(
        UnreadablePicture,
        match=r"it has 5 frames, and the model is given 8; .*task.num_frames=5.*short_clips=repeat",
    ):
        evenly_spread(5, asked=8, short_clips="refuse")


@pytest.mark.parametrize("short_clips", ["refuse", "repeat"])
def test_a_clip_without_frames_is_refused(short_clips: ShortClips):
    with pytest.raises(UnreadablePicture, match="it has no frames"):
        evenly_spread(0, asked=8, short_clips=short_clips)


def test_each_frame_is_fitted_whatever_its_size():
    clips = Recorded(np.zeros((1, 4, 4, 3), np.uint8), "clip", [])
    preprocess = Preprocess(
        height=8,
        width=4,
        channels=3,
        fit="squash",
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        num_frames=3,
        short_clips="repeat",
    )
    clip = read_clip(clips, 0, preprocess)
    frames = clips.frames(0, num_frames=3, short_clips="refuse", channels=3, min_side=None)
    assert np.array_equal(clip, np.stack([fit_picture(frame, preprocess) for frame in frames]))
    assert clips.asked[0] == {"short_clips": "repeat", "min_side": 8}
