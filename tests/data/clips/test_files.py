"""Video files give the frames that decoding from the start gives; hostile ones give a reason."""

import builtins
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from jaxtyping import UInt8

from saccade.data.clips import files as video_files
from saccade.data.clips.files import VideoFile, is_video_name
from saccade.data.decoding import decode
from saccade.data.decoding.decode import UnreadablePicture
from saccade.errors import UsageError

WriteVideo = Callable[..., VideoFile]


@pytest.fixture
def write_video(tmp_path: Path) -> WriteVideo:
    """Encodes frames that get brighter, ``gap`` frames between two key frames."""

    def write(
        name: str = "clip.mp4",
        *,
        num_frames: int = 20,
        codec: str = "mpeg4",
        gap: int = 6,
        rate: Fraction = Fraction(30000, 1001),
        size: tuple[int, int] = (64, 48),
    ) -> VideoFile:
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream(codec, rate=rate)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.gop_size = gap
            stream.codec_context.max_b_frames = 2  # stored after the frame that is shown later
            for k in range(num_frames):
                frame = av.VideoFrame.from_ndarray(picture(k, size), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return VideoFile(tmp_path, name)

    return write


def picture(k: int, size: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    image = np.full((size[1], size[0], 3), 10 * (k % 21) + 20, np.uint8)
    image[: size[1] // 2, : size[0] // 2] = 255 - image[0, 0]
    return image


def all_frames(video: VideoFile) -> list[UInt8[np.ndarray, "H W 3"]]:
    with av.open(str(video.root / video.name)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def frames(video: VideoFile, num_frames: int, **given: object) -> list[np.ndarray]:
    options = {"short_clips": "refuse", "channels": 3, "min_side": None} | given
    return video.frames(num_frames=num_frames, **options)  # pyrefly: ignore[bad-argument-type]


@pytest.mark.parametrize("gap", [1, 6, 100])
@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mpeg4"), ("a.mkv", "mpeg2video")])
@pytest.mark.parametrize("asked", [1, 3, 7, 20])
def test_frames_are_those_of_decoding_from_the_start(
    write_video: WriteVideo, name: str, codec: str, gap: int, asked: int
):
    video = write_video(name, codec=codec, gap=gap)
    every = all_frames(video)
    chosen = [(2 * k + 1) * len(every) // (2 * asked) for k in range(asked)]
    found = frames(video, asked)
    assert len(every) == 20
    assert len(found) == asked
    for frame, k in zip(found, chosen, strict=True):
        assert np.array_equal(frame, every[k])


def test_real_videos_of_odd_rates_give_the_frames_of_decoding_from_the_start(
    shared_data: Path, tmp_path: Path
):
    archive = shared_data / "video_mp4_samples" / "fight_clips_16.zip"
    if not archive.is_file():
        pytest.skip("needs the videos of shared/data")
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".mp4"))[::6]
        file.extractall(tmp_path, names)
    assert len(names) == 3
    for name in names:
        video = VideoFile(tmp_path, name)
        every = all_frames(video)
        for frame, k in zip(frames(video, 5), range(5), strict=True):
            assert np.array_equal(frame, every[(2 * k + 1) * len(every) // 10])


def test_few_frames_of_a_long_video_do_not_decode_it_all(
    write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch
):
    video, decoded = write_video(num_frames=60, gap=6), []
    check = video_files.check_size
    monkeypatch.setattr(video_files, "check_size", lambda h, w: (decoded.append(1), check(h, w))[1])
    frames(video, 2)
    assert len(decoded) < 30


def test_grey_frames_have_one_channel_and_small_ones_are_shrunk_but_not_too_far(
    write_video: WriteVideo,
):
    video = write_video()
    assert frames(video, 1, channels=1)[0].shape == (48, 64, 1)
    assert frames(video, 1, min_side=25)[0].shape == (48, 64, 3)
    assert frames(video, 1, min_side=24)[0].shape == (24, 32, 3)
    assert frames(video, 1, min_side=5)[0].shape == (6, 8, 3)


def test_the_header_says_size_and_colour(write_video: WriteVideo):
    header = write_video(size=(80, 32)).header()
    assert (header.height, header.width, header.is_grey) == (32, 80, False)


def test_a_turned_video_is_turned_back(write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch):
    video = write_video()
    upright = frames(video, 1)[0]

    class Turned:
        """A frame that a phone held upright says about itself."""

        def __init__(self, frame: av.VideoFrame) -> None:
            self.height, self.width, self.to_ndarray = frame.height, frame.width, frame.to_ndarray
            self.rotation = -90

    shown = video_files._pixels

    def turned(frame: av.VideoFrame, **size: int) -> np.ndarray:
        return shown(Turned(frame), **size)  # pyrefly: ignore[bad-argument-type]

    monkeypatch.setattr(video_files, "_pixels", turned)
    assert np.array_equal(frames(video, 1)[0], np.rot90(upright, k=-1))


def test_a_short_video_is_refused_or_repeats(write_video: WriteVideo):
    video = write_video(num_frames=3)
    with pytest.raises(UnreadablePicture, match="it has 3 frames, and the model is given 8"):
        frames(video, 8)
    assert len(frames(video, 8, short_clips="repeat")) == 8


def test_a_file_with_sound_and_no_picture_has_no_frames(tmp_path: Path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(UnreadablePicture, match="it has no frames: there is no video in the file"):
        VideoFile(tmp_path, "sound.mp4").header()


@pytest.mark.parametrize("data", [b"\0" * 64, b"not a video at all" * 20])
def test_bytes_that_are_no_video_are_refused(tmp_path: Path, data: bytes):
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(UnreadablePicture, match="cannot be read as a video"):
        frames(VideoFile(tmp_path, "a.mp4"), 2)


def test_damaged_videos_give_frames_or_a_reason_and_nothing_else(
    write_video: WriteVideo, tmp_path: Path
):
    whole = (tmp_path / write_video().name).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        data = bytearray(whole[: int(rng.integers(1, len(whole)))])
        for at in rng.integers(0, len(data), 12):
            data[at] = int(rng.integers(256))
        (tmp_path / "bad.mp4").write_bytes(data)
        try:
            found = frames(VideoFile(tmp_path, "bad.mp4"), 4)
        except UnreadablePicture:
            refused += 1
        else:
            assert len(found) == 4
    assert refused > 30


def test_a_video_that_lacks_its_end_is_a_shorter_one(tmp_path: Path, write_video: WriteVideo):
    write_video("a.mkv", codec="mpeg2video", num_frames=40)
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(whole[: len(whole) // 2])
    assert len(frames(VideoFile(tmp_path, "a.mkv"), 2)) == 2


def test_a_playlist_that_is_called_a_video_leads_nowhere(
    tmp_path: Path, write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)  # FFmpeg itself refuses what is not beside the list
    write_video("secret.mp4")
    (tmp_path / "a.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(UnreadablePicture, match="cannot be read as a video"):
        VideoFile(tmp_path, "a.mp4").header()


def test_a_huge_frame_is_refused_before_it_is_decoded(
    write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch
):
    video = write_video()
    monkeypatch.setattr(decode, "MAX_PIXELS", 1000)
    with pytest.raises(UnreadablePicture, match="64 x 48 pixels, more than the 1,000"):
        video.header()


def test_a_video_that_is_too_long_is_refused(
    write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(video_files, "MAX_FRAMES", 10)
    with pytest.raises(UnreadablePicture, match="more than the 10 frames"):
        frames(write_video(), 2)


def test_a_file_that_is_gone_is_named_as_such(tmp_path: Path):
    video = VideoFile(tmp_path, "gone.mp4")
    with pytest.raises(UnreadablePicture, match="the file does not exist"):
        video.header()
    assert video.content_hash()


def test_without_the_package_the_extra_is_named(
    write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch
):
    video, real = write_video(), builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "av":
            raise ImportError(name)
        return real(name, *rest)  # pyrefly: ignore[bad-argument-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'saccade\[video\]'"):
        video.header()


def test_a_copy_has_the_same_hash_and_another_video_has_not(
    write_video: WriteVideo, tmp_path: Path
):
    video, other = write_video("a.mp4"), write_video("b.mp4", num_frames=21)
    (tmp_path / "c.mp4").write_bytes((tmp_path / "a.mp4").read_bytes())
    assert video.content_hash() == VideoFile(tmp_path, "c.mp4").content_hash()
    assert video.content_hash() != other.content_hash()


def test_videos_are_known_by_their_endings():
    assert [name for name in ("a.MP4", "b.webm", "c.jpg", "mp4") if is_video_name(name)] == [
        "a.MP4",
        "b.webm",
    ]


def test_an_empty_file_says_so(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"")
    with pytest.raises(UnreadablePicture, match="it has no frames: the file is empty"):
        frames(VideoFile(tmp_path, "a.mp4"), 2)
