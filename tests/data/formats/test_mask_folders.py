"""What masks hold is recognised and said aloud, or asked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saccade.config.run import Preprocess
from saccade.data.annotated import open_masks
from saccade.data.annotations import Annotation, ClassMap, Segments
from saccade.data.loader import Loader
from saccade.data.samples import Source
from saccade.errors import DataError
from tests.data.formats.conftest import SaveMask

WritePictures = Callable[..., None]
PREPROCESS = Preprocess(
    height=4, width=4, channels=3, fit="squash", mean=(0.5,) * 3, std=(0.5,) * 3
)


def first(source: Source) -> Annotation:
    samples = next(iter(source.splits.values()))
    assert samples.annotations is not None
    return samples.annotations.load(int(samples.ids[0]))


@pytest.fixture(autouse=True)
def one_picture(write_pictures: WritePictures) -> None:
    write_pictures("images/a.jpg", size=(3, 1))


def test_numbers_with_names_are_classes(tmp_path: Path, save_mask: SaveMask):
    save_mask("masks/a.png", [[0, 1, 2]])
    (tmp_path / "classes.txt").write_text("none\nroad\nsky")
    source = open_masks(tmp_path)
    assert source.kind == "pictures with masks of classes"
    assert source.class_names == ("none", "road", "sky")
    found = first(source)
    assert isinstance(found, ClassMap)
    assert found.classes.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(("numbers", "high"), [([[0, 1, 1]], 1), ([[0, 255, 255]], 255)])
def test_masks_of_two_numbers_need_no_names(
    tmp_path: Path, save_mask: SaveMask, numbers: list[list[int]], high: int
):
    save_mask("masks/a.png", numbers)
    source = open_masks(tmp_path)
    assert source.class_names == ("background", "object")
    assert source.notes == (f"no classes.txt: 0 is taken for background, {high} for object",)
    found = first(source)
    assert isinstance(found, ClassMap)
    assert found.classes.tolist() == [[0, 1, 1]]


def test_more_numbers_need_names(tmp_path: Path, save_mask: SaveMask):
    save_mask("masks/a.png", [[0, 1, 5]])
    with pytest.raises(
        DataError,
        match=r"nothing names the classes of its masks, which hold the numbers 0, 1, 5. Write a",
    ):
        open_masks(tmp_path)


def test_sixteen_bits_are_instances(tmp_path: Path, save_mask: SaveMask):
    save_mask("labels/a.png", [[0, 4, 2]], dtype=np.uint16)
    source = open_masks(tmp_path)
    assert source.kind == "pictures with masks of instances"
    assert source.class_names == ("object",)
    found = first(source)
    assert isinstance(found, Segments)
    assert found.segments.tolist() == [[0, 2, 1]]


def test_what_masks_hold_can_be_said(tmp_path: Path, save_mask: SaveMask):
    save_mask("masks/a.png", [[0, 4, 2]])
    (tmp_path / "classes.txt").write_text("cell")
    assert isinstance(first(open_masks(tmp_path, masks="instances")), Segments)
    assert open_masks(tmp_path, masks="instances").class_names == ("cell",)
    save_mask("masks/a.png", [[0, 1, 2]], dtype=np.uint16)
    (tmp_path / "classes.txt").write_text("none\nroad\nsky")
    assert isinstance(first(open_masks(tmp_path, masks="classes")), ClassMap)


def test_instances_of_several_classes_are_refused(tmp_path: Path, save_mask: SaveMask):
    save_mask("masks/a.png", [[0, 4, 2]], dtype=np.uint16)
    (tmp_path / "classes.txt").write_text("cat\ndog")
    with pytest.raises(DataError, match=r"cannot say which of the 2 classes of .*give COCO"):
        open_masks(tmp_path)


def test_colours_with_names_are_classes(tmp_path: Path, save_mask: SaveMask):
    save_mask("masks/a.png", [[[0, 0, 0], [128, 64, 128], [120, 60, 130]]])
    (tmp_path / "masks" / "label_colors.txt").write_text("0 0 0 none\n128 64 128 road")
    found = first(open_masks(tmp_path))
    assert isinstance(found, ClassMap)
    assert found.classes.tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("names", [None, "none\nroad"])
def test_colours_without_names_are_refused_with_a_line_to_write(
    tmp_path: Path, save_mask: SaveMask, names: str | None
):
    save_mask("masks/a.png", [[[9, 8, 7], [9, 8, 7], [1, 2, 3]]])
    if names is not None:
        (tmp_path / "classes.txt").write_text(names)
    with pytest.raises(DataError, match=r"masks are coloured.* such as 9 8 7 name; 1 2 3 name"):
        open_masks(tmp_path)


def test_numbers_and_a_list_of_colours_are_taken_as_greys(tmp_path: Path, save_mask: SaveMask):
    save_mask("masks/a.png", [[0, 128, 255]])
    (tmp_path / "classes.txt").write_text("0 0 0 none\n128 128 128 road\n255 255 255 sky")
    found = first(open_masks(tmp_path))
    assert isinstance(found, ClassMap)
    assert found.classes.tolist() == [[0, 1, 2]]


def test_a_table_gives_the_splits(
    tmp_path: Path, save_mask: SaveMask, write_pictures: WritePictures
):
    write_pictures("images/b.jpg", "images/c.jpg", size=(3, 1))
    for name in "abc":
        save_mask(f"masks/{name}.png", [[0, 1, 1]])
    (tmp_path / "index.csv").write_text("id,split\na,test\nb,train\n")
    source = open_masks(tmp_path)
    assert {split: samples.names() for split, samples in source.splits.items()} == {
        "train": ["images/b.jpg"],
        "test": ["images/a.jpg"],
    }
    assert "the splits are those of index.csv" in source.notes
    assert ("images/c.jpg", "outside the split folders") in [tuple(each) for each in source.ignored]


def test_pictures_and_masks_without_partner_are_said(
    tmp_path: Path, save_mask: SaveMask, write_pictures: WritePictures
):
    write_pictures("images/b.jpg", size=(3, 1))
    save_mask("masks/a.png", [[0, 1, 1]])
    save_mask("masks/c.png", [[0, 1, 1]])
    assert [tuple(each) for each in open_masks(tmp_path).ignored] == [
        ("images/b.jpg", "has no mask"),
        ("masks/c.png", "has no picture"),
    ]


def test_no_partner_at_all_is_refused_with_names(tmp_path: Path, save_mask: SaveMask):
    save_mask("masks/z.png", [[0, 1, 1]])
    with pytest.raises(DataError, match=r"matched by name: .* There are images/a.jpg and masks/z"):
        open_masks(tmp_path)


def test_a_mask_of_another_size_is_named_by_the_loader(
    tmp_path: Path, save_mask: SaveMask, write_pictures: WritePictures
):
    write_pictures("images/b.jpg", size=(3, 1))
    save_mask("masks/a.png", [[0, 1, 1]])
    save_mask("masks/b.png", [[0, 1]])
    samples = open_masks(tmp_path).splits["all"]
    loader = Loader(
        samples, PREPROCESS, batch_size=2, num_threads=1, cache_bytes=0, max_bad_fraction=1.0
    )
    loader.prepare()
    (batch,) = loader.batches()
    assert len(batch) == 1
    assert loader.bad == {
        "images/b.jpg": "its mask is 2 x 1 pixels, and the picture 3 x 1; they must be of one size"
    }


def test_broken_masks_are_refused_where_none_can_be_read(tmp_path: Path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").write_bytes(b"nothing")
    with pytest.raises(
        DataError, match="none of the masks looked at can be read: its mask masks/a"
    ):
        open_masks(tmp_path)
