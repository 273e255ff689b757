"""Any source gives its pictures: no masks among them, no annotations, classes of pictures alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.bare import open_bare
from saccade.data.canvas.writing import Amounts, write_class_maps, write_clips, write_objects
from saccade.data.samples import Source

AMOUNTS = Amounts(train=6, val=2, test=2)
WritePictures = Callable[..., None]


def names(source: Source) -> list[str]:
    return [part.pictures.name(int(i)) for part in source.splits.values() for i in part.ids]


@pytest.mark.parametrize("write", [write_objects, write_class_maps])
def test_what_is_known_about_pictures_is_left_behind(
    tmp_path: Path, write: Callable[..., None]
) -> None:
    write(tmp_path, AMOUNTS, seed=0)

    source = open_bare(tmp_path)

    assert [len(part) for part in source.splits.values()] == [6, 2, 2]
    assert all(part.annotations is None for part in source.splits.values())
    assert not any("mask" in name for name in names(source))


def test_objects_are_no_classes_of_pictures(tmp_path: Path) -> None:
    write_objects(tmp_path, AMOUNTS, seed=0)

    assert open_bare(tmp_path).class_names is None


def test_clips_keep_their_classes(tmp_path: Path) -> None:
    write_clips(tmp_path, Amounts(train=8, val=8, test=8), seed=0)

    source = open_bare(tmp_path)

    assert source.class_names is not None
    assert len(source.class_names) == 8


def test_class_folders_keep_their_classes(tmp_path: Path, write_pictures: WritePictures) -> None:
    write_pictures("cat/1.jpg", "dog/1.jpg")

    source = open_bare(tmp_path)

    assert source.class_names == ("cat", "dog")
    assert names(source) == ["cat/1.jpg", "dog/1.jpg"]
