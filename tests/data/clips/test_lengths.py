"""Clips that are too short are refused by the number of their files, before any is opened."""

from pathlib import Path

import numpy as np
import pytest

from saccade.data.clips.files import VideoFile
from saccade.data.clips.folders import FrameFolder
from saccade.data.clips.lengths import require_long_enough
from saccade.data.clips.sources import ClipList
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Samples
from saccade.errors import DataError


def clips(*lengths: int) -> Samples:
    """Folders of frames of these lengths, and a video; no file of them exists."""
    root = Path("nowhere")
    folders = [
        FrameFolder(root, tuple(f"{k}/{t}.png" for t in range(length)))
        for k, length in enumerate(lengths)
    ]
    names = tuple(f"clip{k}" for k in range(len(lengths) + 1))
    listed = ClipList(names, (*folders, VideoFile(root, "a.mp4")))
    return Samples(pictures=listed, ids=np.arange(len(names)), labels=None, noun="clip")


def check(*parts: Samples, spares: int = 1, allowed: float = 0.0) -> None:
    require_long_enough(parts, asked=8, spares=spares, max_bad_fraction=allowed)


def test_clips_that_are_long_enough_pass_and_videos_and_pictures_are_not_counted():
    pictures = Samples(pictures=PictureFiles(Path(), ("a.png",)), ids=np.arange(1), labels=None)
    check(clips(8, 9, 100), pictures)


def test_what_is_too_short_is_named_with_its_length_and_two_ways_out():
    with pytest.raises(DataError) as refused:
        check(clips(8, 5), clips(7))
    said = str(refused.value)
    assert "2 of 5 clips have fewer than the 8 frames" in said
    assert "the shortest 5" in said
    assert "--set task.num_frames=5, or with --set task.short_clips=repeat" in said
    assert "clip1: 5" in said
    assert "clip0: 7" in said


def test_where_several_frames_are_read_for_each_the_advice_counts_them():
    with pytest.raises(DataError, match=r"task\.num_frames=2, or"):
        check(clips(5), spares=2)
    with pytest.raises(DataError, match=r"To use them train with --set task\.short_clips=repeat"):
        check(clips(1), spares=2)


def test_a_share_may_be_too_short():
    check(clips(3, 8, 8), allowed=0.25)
    with pytest.raises(DataError, match=r"25\.0% are allowed"):
        check(clips(3, 3, 8), allowed=0.25)
