"""Clips are found in folders, told apart from pictures, and refused with what to do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saccade.data.clips.files import VideoFile
from saccade.data.clips.folders import FrameFolder
from saccade.data.clips.frames import Clips
from saccade.data.clips.sources import ClipList, open_clip_inputs, open_clips
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.split import split
from saccade.errors import DataError, UsageError

WritePictures = Callable[..., None]


def frames_of(*clips: str, count: int = 3) -> list[str]:
    return [f"{clip}/{k:03d}.png" for clip in clips for k in range(count)]


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_folders_of_frames_in_class_folders_are_labelled_clips(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures(*frames_of("10/b", "2/a", "2/c"))
    source = open_clips(tmp_path)
    samples = source.splits["all"]
    assert source.kind == "class folder of folders of frames"
    assert source.class_names == ("2", "10")
    assert samples.names() == ["2/a", "2/c", "10/b"]
    assert samples.labels is not None
    assert samples.labels.tolist() == [0, 0, 1]
    assert isinstance(samples.pictures, Clips)
    assert samples.pictures.load(0, channels=3, min_side=None).shape == (7, 9, 3)
    assert "3 clips" in source.describe()[0]


def test_a_folder_around_the_classes_is_stepped_into(tmp_path: Path, write_pictures: WritePictures):
    write_pictures(*frames_of("words/01/F01_01", "words/02/F01_01"))
    source = open_clips(tmp_path)
    assert source.class_names == ("01", "02")
    assert source.notes == ("everything is in words/, so that is the source",)


def test_splits_are_recognised_and_share_their_clips(tmp_path: Path, write_pictures: WritePictures):
    write_pictures(*frames_of("train/jump/1", "train/wave/2", "test/wave/3"))
    source = open_clips(tmp_path)
    assert source.splits["train"].pictures is source.splits["test"].pictures
    assert source.splits["test"].names() == ["test/wave/3"]


def test_video_files_are_found_and_what_lies_beside_them_is_passed_over(
    tmp_path: Path, write_pictures: WritePictures
):
    touch(tmp_path, "jump/1.mp4", "jump/notes.txt", "wave/2.AVI", "wave/3.webm")
    write_pictures("jump/1-preview.png")
    source = open_clips(tmp_path)
    clips = source.splits["all"].pictures
    assert source.kind == "class folder of videos"
    assert isinstance(clips, ClipList)
    assert clips.clips[0] == VideoFile(tmp_path, "jump/1.mp4")
    assert len(clips) == 3
    assert dict(source.ignored) == {
        "jump/notes.txt": "not a video by its ending",
        "jump/1-preview.png": "a picture beside clips",
    }


def test_videos_and_folders_of_frames_may_lie_side_by_side(
    tmp_path: Path, write_pictures: WritePictures
):
    touch(tmp_path, "jump/1.mp4")
    write_pictures(*frames_of("jump/2", "wave/3"), "wave/stray.png")
    source = open_clips(tmp_path)
    clips = source.splits["all"].pictures
    assert source.kind == "class folder of videos and folders of frames"
    assert isinstance(clips, ClipList)
    assert {type(clip) for clip in clips.clips} == {VideoFile, FrameFolder}
    assert [each.name for each in source.ignored] == ["wave/stray.png"]


def test_one_video_and_one_folder_of_frames_are_sources_of_one_clip(
    tmp_path: Path, write_pictures: WritePictures
):
    touch(tmp_path, "a.mp4")
    write_pictures(*frames_of("frames", count=4))
    for name in ("a.mp4", "frames"):
        source = open_clips(tmp_path / name)
        assert source.class_names is None
        assert source.splits["all"].names() == [str(tmp_path / name)]


def test_groups_stay_on_one_side_of_every_split(tmp_path: Path, write_pictures: WritePictures):
    people = [f"F{k:02d}" for k in range(8)]
    write_pictures(*frames_of(*(f"{c}/{p}_{r}" for c in ("a", "b") for p in people for r in "12")))
    lines = [f"*/{person}_*,{person}" for person in people]
    (tmp_path / "groups.csv").write_text("\n".join(["clip,group", *lines]))
    source = open_clips(tmp_path)
    parts = split(source, val_fraction=0.2, test_fraction=0.3, seed=0)
    assert parts.val is not None
    assert parts.test is not None
    sides = [
        {name.split("/")[1].split("_")[0] for name in part.names()}
        for part in (parts.train, parts.val, parts.test)
    ]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 8
    assert all(sides)
    assert "groups.csv: 8 groups, each kept in one split" in source.notes
    assert source.ignored == ()


def test_splits_on_the_disk_that_share_a_group_are_refused(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures(*frames_of("train/a/F01_1", "train/b/F02_1", "test/a/F01_2", "test/b/F03_1"))
    (tmp_path / "groups.csv").write_text("clip,group\n*/F01_*,F01\n*/F02_*,F02\n")
    with pytest.raises(DataError, match=r"F01 \(in train and test\)"):
        open_clips(tmp_path)


def test_classes_that_train_lacks_are_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures(*frames_of("train/a/1", "train/b/1", "test/c/1"))
    with pytest.raises(DataError, match="test has classes that train lacks: c"):
        open_clips(tmp_path)


def test_nothing_that_moves_is_refused_with_what_a_clip_is(tmp_path: Path):
    touch(tmp_path, "notes.txt")
    with pytest.raises(DataError, match=r"no clips found\. A clip is a video file"):
        open_clips(tmp_path)
    with pytest.raises(UsageError, match=r"notes\.txt is not a source of clips"):
        open_clips(tmp_path / "notes.txt")
    with pytest.raises(UsageError, match=r"did you mean .*notes\.txt"):
        open_clips(tmp_path / "note.txt")


def test_inputs_keep_their_order_and_a_folder_stands_for_its_clips(
    tmp_path: Path, write_pictures: WritePictures
):
    touch(tmp_path, "b.mp4", "folder/2.mp4", "folder/readme.md", "odd.bin")
    write_pictures(*frames_of("clip", "folder/10"))
    given = [tmp_path / name for name in ("b.mp4", "clip", "folder", "odd.bin")]
    samples = open_clip_inputs(given)
    names = [Path(name).relative_to(tmp_path).as_posix() for name in samples.names()]
    assert names == ["b.mp4", "clip", "folder/2.mp4", "folder/10", "odd.bin"]
    assert samples.labels is None
    with pytest.raises(UnreadablePicture, match="the file is empty"):
        samples.pictures.header(4)


def test_inputs_that_are_nothing_are_refused(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no clips given"):
        open_clip_inputs([])
    with pytest.raises(UsageError, match="does not exist"):
        open_clip_inputs([tmp_path / "gone.mp4"])
    with pytest.raises(DataError, match="no clips found"):
        open_clip_inputs([tmp_path / "empty"])


def test_clips_are_no_stack_and_a_lost_one_has_the_stamp_0(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures(*frames_of("clip"))
    clips = ClipList(
        ("clip", "gone.mp4"),
        (
            FrameFolder(tmp_path, tuple(frames_of("clip"))),
            VideoFile(tmp_path, "gone.mp4"),
        ),
    )
    assert clips.stamp(0) == str(clips.num_bytes(0))
    assert clips.stamp(1) == "0"
    assert len({clips.content_hash(0), clips.content_hash(1)}) == 2
    assert clips.stack(height=7, width=9, channels=3) is None
    two = clips.frames(0, num_frames=2, short_clips="refuse", channels=3, min_side=None)
    assert np.array_equal(
        two[1],
        FrameFolder(tmp_path, ("clip/002.png",)).frames(
            num_frames=1, short_clips="refuse", channels=3, min_side=None
        )[0],
    )
