"""The report gets pictures of what was found, of where it fails, of what the model was shown."""

from pathlib import Path

import pytest
from PIL import Image

from saccade.jobs.segment.gallery import colours_of_classes, colours_of_objects, write_gallery
from saccade.jobs.segment.judge import judge
from saccade.reporting.records import read_records
from saccade.run.folder import RunFolder
from tests.contract.worlds import segment
from tests.jobs.segment.worlds import SIZES, engine, loader, write_masks


@pytest.mark.parametrize("numbers_objects", [False, True], ids=["classes", "objects"])
def test_every_gallery_is_there_and_every_picture_of_it(
    tmp_path: Path, *, numbers_objects: bool
) -> None:
    source = write_masks(tmp_path / "source", numbers_objects=numbers_objects)
    made, run = engine(numbers_objects=numbers_objects), RunFolder(tmp_path / "run")
    run.path.mkdir()
    pictures = loader(source, made)
    world = segment.mask_world() if numbers_objects else segment.world()

    judged = judge(made, pictures)
    write_gallery(run, made, pictures, pictures, judged, config=world.config)

    galleries = read_records(run.path).galleries
    assert list(galleries) == ["found", "worst", "batch"]
    shown = [entry for gallery in galleries.values() for entry in gallery["entries"]]
    assert len(galleries["found"]["entries"]) == len(SIZES)
    files = {entry["file"] for entry in shown}
    assert files == {f"pictures/{path.name}" for path in run.pictures.glob("*.png")}
    for entry in shown:
        with Image.open(run.path / entry["file"]) as picture:
            assert picture.width >= 16


def test_background_and_no_object_have_no_colour_and_others_differ() -> None:
    first, *others = colours_of_classes(("background", "cat", "dog", "owl"))
    assert first is None
    assert len(set(others)) == 3
    assert colours_of_objects(2)[0] is None
    assert len(set(colours_of_objects(5))) == 6
