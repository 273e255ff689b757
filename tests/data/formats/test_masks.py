"""Numbers and colours of a mask become classes; what has no name is said."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from saccade.data.decoding.decode import UnreadablePicture, decode_numbers
from saccade.data.formats.class_lists import ClassList
from saccade.data.formats.masks import ClassMaps, InstanceMaps, Meaning, read_numbers
from saccade.data.pictures import PictureFiles
from tests.data.formats.conftest import SaveMask

THREE = ClassList(names=("none", "road", "sky"), numbers=(0, 1, 2), colours=None)
COLOURS = ClassList(
    names=("none", "road", "sky"), numbers=(0, 1, 2), colours=((0, 0, 0), (200, 0, 0), (0, 0, 250))
)


def files(root: Path) -> PictureFiles:
    return PictureFiles(root, ("m.png",))


def classes(root: Path, known: ClassList = THREE, meaning: Meaning = "numbers") -> list[list[int]]:
    assert meaning != "instances"
    maps = ClassMaps(files=files(root), classes=known, meaning=meaning)
    return maps.load(0).classes.tolist()


@pytest.mark.parametrize("palette", [False, True], ids=["grey", "palette"])
def test_numbers_are_classes_and_255_is_unknown(tmp_path: Path, save_mask: SaveMask, palette: bool):
    save_mask("m.png", [[0, 1], [2, 1]], palette=palette)
    assert classes(tmp_path) == [[0, 1], [2, 1]]
    save_mask("m.png", [[0, 255], [2, 1]])
    assert classes(tmp_path) == [[0, 255], [2, 1]]


def test_numbers_may_stand_for_other_classes(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.png", [[0, 255, 7]])
    known = ClassList(names=("none", "cell", "dirt"), numbers=(0, 255, 7), colours=None)
    assert classes(tmp_path, known) == [[0, 1, 2]]


def test_a_mask_of_one_bit_holds_0_and_1(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.png", [[True, False]], dtype=bool)
    assert classes(tmp_path) == [[1, 0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_number_without_a_name_is_this_pictures_fault(
    tmp_path: Path, save_mask: SaveMask, dtype: type
):
    save_mask("m.png", [[0, 9, 3, 9]], dtype=dtype)
    with pytest.raises(
        UnreadablePicture,
        match="its mask holds 3, 9, which has no name; named are 0 to 2, and 255 is for pixels to",
    ):
        classes(tmp_path)


def test_numbers_beyond_a_byte_are_not_cut_down_to_one(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.png", [[0, 257]], dtype=np.uint16)
    with pytest.raises(UnreadablePicture, match="its mask holds 257"):
        classes(tmp_path)


def test_colours_are_the_nearest_named_ones(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.png", [[[5, 3, 0], [190, 20, 9], [0, 0, 250], [0, 250, 0]]])
    assert classes(tmp_path, COLOURS, "colours") == [[0, 1, 2, 255]]


def test_a_coloured_mask_that_is_stored_in_grey_still_is_one(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.png", [[0, 3]])
    assert classes(tmp_path, COLOURS, "colours") == [[0, 0]]


def test_one_coloured_mask_among_others_is_refused(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.png", [[[0, 0, 0]]])
    with pytest.raises(UnreadablePicture, match="its mask is in colour, the others hold numbers"):
        classes(tmp_path)


def test_instances_are_numbered_without_gaps(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.png", [[0, 700, 3], [3, 0, 41]], dtype=np.uint16)
    found = InstanceMaps(files(tmp_path)).load(0)
    assert found.segments.tolist() == [[0, 3, 1], [1, 0, 2]]
    assert found.labels.tolist() == [0, 0, 0]


def test_numbers_below_0_are_unknown(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.tiff", [[-1, 0, 5, -1]], dtype=np.int32)
    found = InstanceMaps(PictureFiles(tmp_path, ("m.tiff",))).load(0)
    assert found.segments.tolist() == [[-1, 0, 1, -1]]
    assert len(found.labels) == 1


@pytest.mark.parametrize("numbers", [[[0, 0]], [[4, 4]]], ids=["nothing", "everything"])
def test_a_map_may_be_all_nothing_or_all_one_object(
    tmp_path: Path, save_mask: SaveMask, numbers: list[list[int]]
):
    save_mask("m.png", numbers, dtype=np.uint16)
    found = InstanceMaps(files(tmp_path)).load(0)
    expected = int(numbers[0][0] > 0)
    assert found.segments.tolist() == [[expected, expected]]
    assert len(found.labels) == expected


def test_a_mask_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(UnreadablePicture, match=r"its mask m.png cannot be read: No such file"):
        read_numbers(files(tmp_path), 0)
    (tmp_path / "m.png").write_bytes(b"no picture")
    with pytest.raises(UnreadablePicture, match=r"its mask m.png: not a picture this reads"):
        InstanceMaps(files(tmp_path)).load(0)


def test_the_stamp_is_the_size_of_the_file(tmp_path: Path, save_mask: SaveMask):
    save_mask("m.png", [[0, 1]])
    size = str((tmp_path / "m.png").stat().st_size)
    assert InstanceMaps(files(tmp_path)).stamp(0) == size
    assert ClassMaps(files=files(tmp_path), classes=THREE, meaning="numbers").stamp(0) == size


def test_hostile_files_become_numbers_or_a_reason(shared_data: Path):
    with zipfile.ZipFile(shared_data / "broken_images" / "broken_images.zip") as archive:
        names = [name for name in archive.namelist() if not name.endswith(("/", ".tsv"))][::15]
        num_masks = 0
        for name in names:
            try:
                numbers = decode_numbers(archive.read(name))
            except UnreadablePicture:
                continue
            num_masks += 1
            assert numbers.dtype.kind in "iu"
            assert numbers.ndim == 2 or numbers.shape[2] == 3
    assert 20 < num_masks < len(names)
