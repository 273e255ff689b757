"""Files and arrays answer the same questions in the same way."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.decoding.decode import PictureHeader, UnreadablePicture
from saccade.data.pictures import PictureArray, PictureFiles, Pictures

RGB = np.random.default_rng(0).integers(256, size=(3, 7, 9, 3), dtype=np.uint8)


@pytest.fixture(params=["files", "array"])
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Pictures:
    if request.param == "array":
        return PictureArray(RGB, "train")
    names = tuple(f"{i}.png" for i in range(3))
    for name, pixels in zip(names, RGB, strict=True):
        Image.fromarray(pixels).save(tmp_path / name)
    return PictureFiles(tmp_path, names)


def test_pictures_load_exactly(pictures: Pictures):
    assert len(pictures) == 3
    for i, pixels in enumerate(RGB):
        assert (pictures.load(i, channels=3, min_side=4) == pixels).all()
        assert pictures.header(i) == PictureHeader(7, 9, is_grey=False)
        assert pictures.num_bytes(i) > 0


def test_grey_is_pillows_grey_from_files_and_arrays(pictures: Pictures):
    grey = np.asarray(Image.fromarray(RGB[1]).convert("L"))
    assert (pictures.load(1, channels=1, min_side=None)[:, :, 0] == grey).all()


def test_stamps_tell_pictures_apart_when_they_change(tmp_path: Path):
    changed = RGB.copy()
    changed[1, 0, 0, 0] ^= 1
    before, after = PictureArray(RGB, "a"), PictureArray(changed, "a")
    assert [before.stamp(i) == after.stamp(i) for i in range(3)] == [True, False, True]

    (tmp_path / "a.png").write_bytes(b"12345")
    files = PictureFiles(tmp_path, ("a.png", "gone.png"))
    assert files.stamp(0) == "5"
    assert files.stamp(1) == "0"


def test_names_are_paths_or_numbers_in_an_array(tmp_path: Path):
    assert PictureFiles(tmp_path, ("cat/1.jpg",)).name(0) == "cat/1.jpg"
    assert PictureArray(RGB, "train").name(2) == "train#2"


def test_grey_arrays_load_as_colour():
    array = PictureArray(RGB[..., :1], "test")
    assert array.header(0).is_grey
    assert (array.load(0, channels=3, min_side=None) == RGB[0, :, :, :1]).all()


def test_loaded_pictures_can_be_changed_without_harm():
    array = PictureArray(RGB.copy(), "test")
    for channels in (1, 3):
        array.load(0, channels=channels, min_side=None)[:] = 0
    assert (array.images == RGB).all()


def test_arrays_of_the_right_form_are_taken_as_they_are():
    array = PictureArray(RGB, "test")
    stack = array.stack(height=7, width=9, channels=3)
    assert stack is not None
    assert np.shares_memory(stack, RGB)
    assert (stack == RGB.transpose(0, 3, 1, 2)).all()
    assert array.stack(height=7, width=9, channels=1) is None
    assert array.stack(height=9, width=7, channels=3) is None


def test_files_lie_on_the_disk_and_not_in_memory(tmp_path: Path):
    assert PictureFiles(tmp_path, ()).stack(height=1, width=1, channels=3) is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda files: files.num_bytes(0),
        lambda files: files.header(0),
        lambda files: files.load(0, channels=3, min_side=None),
    ],
)
def test_files_that_vanished_say_so(tmp_path: Path, ask: Callable[[PictureFiles], object]):
    with pytest.raises(UnreadablePicture, match="the file does not exist"):
        ask(PictureFiles(tmp_path, ("gone.jpg",)))


def test_a_folder_called_like_a_picture_is_unreadable(tmp_path: Path):
    (tmp_path / "a.jpg").mkdir()
    with pytest.raises(UnreadablePicture, match="the file cannot be read"):
        PictureFiles(tmp_path, ("a.jpg",)).load(0, channels=3, min_side=None)


def test_a_renamed_copy_has_the_same_content_hash_and_another_picture_has_not(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"one picture")
    (tmp_path / "b.png").write_bytes(b"one picture")
    (tmp_path / "c.png").write_bytes(b"two picture")
    files = PictureFiles(tmp_path, ("a.png", "b.png", "c.png", "gone.png"))
    first, copy, other, gone = (files.content_hash(i) for i in range(4))
    assert first == copy
    assert len({first, other, gone}) == 3


def test_a_name_that_is_not_utf_8_is_spelt_out(tmp_path: Path):
    name = b"ni\xf1o.png".decode("utf-8", "surrogateescape")
    files = PictureFiles(tmp_path, (name,))
    assert files.name(0) == "ni\\udcf1o.png"
