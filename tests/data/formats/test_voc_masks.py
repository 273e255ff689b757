"""Pascal VOC's masks: classes by their numbers, objects by both masks, void is unknown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.annotated import guess_job, open_masks
from saccade.data.annotations import Annotation, ClassMap, Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.samples import Source
from saccade.errors import DataError
from tests.data.formats.conftest import SaveMask

WritePictures = Callable[..., None]
CAT, DOG = 8, 12  # as VOC numbers them


def first(source: Source, split: str = "all") -> Annotation:
    samples = source.splits[split]
    assert samples.annotations is not None
    return samples.annotations.load(int(samples.ids[0]))


@pytest.fixture(autouse=True)
def two_pictures(write_pictures: WritePictures, save_mask: SaveMask) -> None:
    write_pictures("VOC/JPEGImages/a.jpg", "VOC/JPEGImages/b.jpg", size=(6, 1))
    save_mask("VOC/SegmentationClass/a.png", [[0, DOG, 255, CAT, CAT, 0]])


def write_lists(folder: Path, **lists: str) -> None:
    (folder / "VOC/ImageSets/Segmentation").mkdir(parents=True)
    for name, text in lists.items():
        (folder / f"VOC/ImageSets/Segmentation/{name}.txt").write_text(text)


def test_lists_give_splits_and_the_names_are_vocs_own(tmp_path: Path, save_mask: SaveMask):
    save_mask("VOC/SegmentationClass/b.png", [[0, 0, 0, 0, 20, 20]])
    write_lists(tmp_path, train="a\n", val="b\n", trainval="a\nb\n")
    source = open_masks(tmp_path)
    assert source.kind == "Pascal VOC masks of classes"
    assert source.class_names is not None
    assert [source.class_names[k] for k in (0, CAT, DOG, 20)] == [
        "background", "cat", "dog", "tvmonitor"
    ]  # fmt: skip
    assert source.splits["val"].names() == ["VOC/JPEGImages/b.jpg"]
    found = first(source, "train")
    assert isinstance(found, ClassMap)
    assert found.classes.tolist() == [[0, DOG, 255, CAT, CAT, 0]]
    assert guess_job(tmp_path) == "segment"


def test_objects_have_the_class_of_the_other_mask_and_void_is_unknown(
    tmp_path: Path, save_mask: SaveMask
):
    save_mask("VOC/SegmentationObject/a.png", [[0, 3, 255, 1, 7, 0]])
    source = open_masks(tmp_path)
    assert source.kind == "Pascal VOC masks of objects"
    assert source.class_names is not None
    assert len(source.class_names) == 20
    assert [each.name for each in source.ignored] == ["VOC/JPEGImages/b.jpg"]
    found = first(source)
    assert isinstance(found, Segments)
    assert found.segments.tolist() == [[0, 2, -1, 1, 3, 0]]
    assert [source.class_names[k] for k in found.labels] == ["cat", "dog", "cat"]
    assert isinstance(first(open_masks(tmp_path, masks="classes")), ClassMap)


def test_coloured_masks_of_objects_are_read_with_their_classes(tmp_path: Path, save_mask: SaveMask):
    white, grey = [224, 224, 192], [9, 0, 1]
    save_mask("VOC/SegmentationObject/a.png", [[[1, 0, 0], grey, white, grey, grey, [1, 0, 0]]])
    save_mask("VOC/SegmentationClass/a.png", [[2, 1, 1, 1, 1, 2]])
    (tmp_path / "VOC/classes.txt").write_text("_background_\nleaf\nstem")
    source = open_masks(tmp_path)
    assert source.class_names == ("leaf", "stem")
    found = first(source)
    assert isinstance(found, Segments)
    assert found.segments.tolist() == [[1, 2, -1, 2, 2, 1]]
    assert found.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("mask", "said"),
    [([[1, 0, 0, 0, 0, 0]], "of no class in the mask of classes"), ([[0, 3]], "differ in size")],
)
def test_masks_that_contradict_each_other_are_this_pictures_fault(
    tmp_path: Path, save_mask: SaveMask, mask: list[list[int]], said: str
):
    save_mask("VOC/SegmentationObject/a.png", mask)
    with pytest.raises(UnreadablePicture, match=said):
        first(open_masks(tmp_path))


def test_pictures_without_masks_are_refused(tmp_path: Path):
    write_lists(tmp_path, train="b\n")
    with pytest.raises(DataError, match="none of 2 pictures in JPEGImages has a mask"):
        open_masks(tmp_path)
