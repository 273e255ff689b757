"""Pairs in two folders or side by side; whatever has no partner is listed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.annotated import open_pairs
from saccade.data.annotations import Partner
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.example import read_example
from saccade.data.samples import Source
from saccade.errors import DataError

WritePictures = Callable[..., None]


def partner(source: Source, split: str = "all", position: int = 0) -> np.ndarray:
    samples = source.splits[split]
    assert samples.annotations is not None
    found = samples.annotations.load(int(samples.ids[position]))
    assert isinstance(found, Partner)
    return found.image


def picture(source: Source, split: str = "all", position: int = 0) -> np.ndarray:
    samples = source.splits[split]
    return samples.pictures.load(int(samples.ids[position]), channels=3, min_side=None)


def save(path: Path, pixels: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(pixels, dtype=np.uint8)).save(path)


@pytest.mark.parametrize("names", [("input", "target"), ("A", "B"), ("before", "after")])
def test_two_folders_are_pairs(tmp_path: Path, names: tuple[str, str]):
    save(tmp_path / names[0] / "1.png", [[[1, 2, 3]]])
    save(tmp_path / names[1] / "1.png", [[[4, 5, 6]]])
    source = open_pairs(tmp_path)
    assert source.kind == "pairs of pictures"
    assert source.notes == (f"{names[0].lower()} becomes {names[1].lower()}",)
    assert picture(source).tolist() == [[[1, 2, 3]]]
    assert partner(source).tolist() == [[[4, 5, 6]]]


def test_pictures_without_a_partner_are_all_listed(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("input/1.png", "target/1.png", "input/2.png", "target/10.png", "target/9.png")
    with pytest.raises(
        DataError,
        match=(
            r"without a partner, 1 only in input: input/2.png; 2 only in target: target/9.png, "
            r"target/10.png\. Each picture in input needs one of the same name in target"
        ),
    ):
        open_pairs(tmp_path)


def test_many_lonely_pictures_are_counted(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("input/1.png", "target/1.png", *(f"input/x{k}.png" for k in range(12)))
    with pytest.raises(DataError, match=r"12 only in input: .*x9.png, \.\.\.\. Each"):
        open_pairs(tmp_path)


def test_other_pictures_are_said(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("input/1.png", "target/1.png", "cover.png")
    (entry,) = open_pairs(tmp_path).ignored
    assert tuple(entry) == ("cover.png", "in neither input nor target")


def test_partners_may_have_another_size_and_other_channels(tmp_path: Path):
    save(tmp_path / "input" / "1.png", np.full((4, 4), 100))
    save(tmp_path / "target" / "1.png", np.full((8, 8, 3), [10, 20, 30]))
    source = open_pairs(tmp_path)
    for channels in (1, 3):
        preprocess = Preprocess(
            height=4,
            width=4,
            channels=channels,
            fit="squash",
            mean=(0.5,) * channels,
            std=(0.5,) * channels,
        )
        example = read_example(source.splits["all"], 0, preprocess, keeps_size=False)
        assert isinstance(example.annotation, Partner)
        assert example.image.shape == (channels, 4, 4)
        assert example.annotation.image.shape == (4, 4, channels)
    assert example.annotation.image[0, 0].tolist() == [10, 20, 30]


def test_a_grey_partner_of_coloured_pictures_has_three_channels(tmp_path: Path):
    save(tmp_path / "input" / "1.png", np.full((2, 2, 3), 9))
    save(tmp_path / "target" / "1.png", np.full((2, 2), 70))
    preprocess = Preprocess(
        height=2, width=2, channels=3, fit="squash", mean=(0.5,) * 3, std=(0.5,) * 3
    )
    example = read_example(open_pairs(tmp_path).splits["all"], 0, preprocess, keeps_size=False)
    assert isinstance(example.annotation, Partner)
    assert example.annotation.image.tolist() == [[[70] * 3] * 2] * 2


def test_a_broken_partner_is_named(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("input/1.png", "target/1.png")
    (tmp_path / "target" / "1.png").write_bytes(b"nothing")
    with pytest.raises(UnreadablePicture, match=r"its partner target/1.png: not a picture this"):
        partner(open_pairs(tmp_path))


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """One picture, black left and white right, in a folder of a split."""
    save(tmp_path / "data" / "train" / "1.png", [[[0] * 3, [0] * 3, [255] * 3, [255] * 3]] * 2)
    return tmp_path / "data"


def test_wide_pictures_are_taken_for_two_from_left_to_right(wide: Path):
    source = open_pairs(wide)
    assert source.kind == "pairs of pictures side by side"
    assert source.notes == (
        "pictures twice as wide as high: taken for two side by side; in a folder called right-left "
        "they are taken the other way round",
        "the left half becomes the right half",
    )
    assert picture(source, "train").tolist() == [[[0] * 3] * 2] * 2
    assert partner(source, "train").tolist() == [[[255] * 3] * 2] * 2
    assert source.splits["train"].pictures.header(0).width == 2


@pytest.mark.parametrize("by", ["name", "option"])
def test_the_order_of_the_halves_can_be_said(wide: Path, by: str):
    if by == "name":
        source = open_pairs(wide.rename(wide.with_name("right-left")))
    else:
        source = open_pairs(wide, pairs="right-left")
    assert source.notes == ("the right half becomes the left half",)
    assert partner(source, "train").max() == 0


def test_an_odd_column_in_the_middle_belongs_to_neither(tmp_path: Path):
    save(tmp_path / "1.png", [[[1] * 3, [2] * 3, [3] * 3]])
    source = open_pairs(tmp_path, pairs="left-right")
    assert (picture(source).tolist(), partner(source).tolist()) == ([[[1] * 3]], [[[3] * 3]])


def test_a_picture_of_one_column_has_no_halves(tmp_path: Path):
    save(tmp_path / "1.png", [[[1] * 3]])
    with pytest.raises(UnreadablePicture, match="one pixel wide, so it has no halves"):
        picture(open_pairs(tmp_path, pairs="left-right"))


def test_pictures_of_any_other_shape_are_no_pairs(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("1.png")
    with pytest.raises(DataError, match=r"no pairs of pictures found. Give two folders, input and"):
        open_pairs(tmp_path)
    with pytest.raises(DataError, match="no pairs of pictures found"):
        open_pairs(tmp_path, pairs="folders")


def test_a_folder_without_pictures_has_no_pairs(tmp_path: Path):
    with pytest.raises(DataError, match="no pairs of pictures found"):
        open_pairs(tmp_path, pairs="left-right")


def test_two_pictures_of_one_name_are_refused(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("input/1.png", "input/1.jpg", "target/1.png")
    with pytest.raises(DataError, match=r"of one name in one folder, input/1.png; partners are"):
        open_pairs(tmp_path)
