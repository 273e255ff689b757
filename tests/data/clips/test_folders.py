"""A folder of pictures is a clip: its frames in order, each in its own size, or a reason."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.clips.folders import FrameFolder
from saccade.data.decoding.decode import UnreadablePicture

WritePictures = Callable[..., None]


def write_frames(folder: Path, count: int) -> FrameFolder:
    """Frames of one grey each, which is their number, and that grow in width."""
    folder.mkdir()
    names = []
    for k in range(count):
        Image.new("L", (5 + k, 6), k).save(folder / f"{k}.png")
        names.append(f"{folder.name}/{k}.png")
    return FrameFolder(folder.parent, tuple(names))


def test_frames_come_evenly_spread_and_in_their_own_size(tmp_path: Path):
    clip = write_frames(tmp_path / "clip", 9)
    frames = clip.frames(num_frames=3, short_clips="refuse", channels=1, min_side=None)
    assert [int(frame[0, 0, 0]) for frame in frames] == [1, 4, 7]
    assert [frame.shape for frame in frames] == [(6, 6, 1), (6, 9, 1), (6, 12, 1)]


def test_a_short_clip_repeats_frames_only_where_that_is_asked_for(tmp_path: Path):
    clip = write_frames(tmp_path / "clip", 2)
    frames = clip.frames(num_frames=4, short_clips="repeat", channels=3, min_side=None)
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 0, 1, 1]
    with pytest.raises(UnreadablePicture, match="it has 2 frames, and the model is given 4"):
        clip.frames(num_frames=4, short_clips="refuse", channels=3, min_side=None)


def test_a_damaged_frame_is_named(tmp_path: Path):
    clip = write_frames(tmp_path / "clip", 4)
    (tmp_path / "clip" / "2.png").write_bytes(b"not a picture")
    clip.frames(num_frames=2, short_clips="refuse", channels=1, min_side=None)  # 1 and 3
    with pytest.raises(UnreadablePicture, match=r"its frame 2\.png: not a picture"):
        clip.frames(num_frames=4, short_clips="refuse", channels=1, min_side=None)


def test_the_header_is_that_of_the_middle_frame(tmp_path: Path):
    header = write_frames(tmp_path / "clip", 5).header()
    assert (header.height, header.width, header.is_grey) == (6, 7, True)


def test_bytes_are_those_of_all_frames_and_a_lost_one_has_none(tmp_path: Path):
    clip = write_frames(tmp_path / "clip", 3)
    sizes = [(tmp_path / name).stat().st_size for name in clip.names]
    assert clip.num_bytes() == sum(sizes)
    (tmp_path / clip.names[0]).unlink()
    assert clip.num_bytes() == sum(sizes[1:])


def test_a_clip_is_known_again_under_another_name_and_not_after_a_change(tmp_path: Path):
    first, second = write_frames(tmp_path / "one", 4), write_frames(tmp_path / "two", 4)
    shorter = write_frames(tmp_path / "three", 3)
    assert first.content_hash() == second.content_hash() != shorter.content_hash()
    Image.new("L", (7, 6), 99).save(tmp_path / "two" / "2.png")
    assert np.array(Image.open(tmp_path / "two" / "2.png"))[0, 0] == 99
    assert first.content_hash() != second.content_hash()
