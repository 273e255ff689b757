"""Drawings are readable, named after their input, and an album is what the report reads."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.data.pictures import PictureArray
from saccade.data.samples import Samples
from saccade.jobs.drawing import (
    CAPTION_PX,
    Album,
    captioned,
    drawing_name,
    enlargement,
    save_drawing,
)
from saccade.reporting.records import read_records
from saccade.run.folder import RunFolder


def test_a_caption_stands_under_the_picture_and_not_on_it():
    picture = np.full((100, 120, 3), 77, np.uint8)
    found = np.asarray(captioned(picture, "cat 0.98"))
    assert found.shape == (100 + CAPTION_PX, 120, 3)
    assert (found[:100] == 77).all()
    assert (found[100:] < 128).any()


def test_a_tiny_picture_is_enlarged_by_a_whole_factor_and_its_pixels_stay_square():
    picture = np.zeros((8, 16, 1), np.uint8)
    picture[0, 0] = 200
    found = np.asarray(captioned(picture, "7"))
    factor = found.shape[1] // 16
    assert factor >= 12
    assert (found[:factor, :factor] == 200).all()
    assert (found[:factor, factor : 2 * factor] == 0).all()


def test_letters_beyond_english_are_not_all_the_same_box():
    picture = np.zeros((100, 120, 3), np.uint8)
    drawn = [np.asarray(captioned(picture, letter))[100:] for letter in "üéжλ"]
    assert len({each.tobytes() for each in drawn}) == 4


def test_a_strip_is_not_enlarged_to_a_wall():
    assert captioned(np.zeros((1, 20_000, 3), np.uint8), "").size == (20_000, 1 + CAPTION_PX)
    assert [enlargement(w, h, smallest=96) for w, h in ((8, 16), (200, 2), (96, 96))] == [12, 10, 1]


def test_names_are_numbered_and_short():
    assert drawing_name(3, "photos/cat.jpg") == "00003-cat.png"
    assert len(drawing_name(3, "x" * 300 + ".jpg")) < 100


def test_the_drawing_of_a_sample_is_of_its_own_picture(tmp_path: Path):
    images = np.stack([np.full((96, 96, 1), value, np.uint8) for value in (10, 20, 30)])
    samples = Samples(pictures=PictureArray(images, "all"), ids=np.array([2, 0]), labels=None)
    save_drawing(samples, 0, tmp_path, caption="thirty")
    with Image.open(tmp_path / "00000-all#2.png") as picture:
        assert (np.asarray(picture)[:96] == 30).all()


def test_an_album_is_read_by_the_report(tmp_path: Path):
    folder = RunFolder(tmp_path)
    folder.pictures.mkdir()
    album = Album(folder)
    first = album.save(np.zeros((4, 4, 1), np.uint8), "found")
    second = album.save(Image.new("RGB", (5, 3)), "found")
    assert (first, second) == ("pictures/found-001.png", "pictures/found-002.png")
    album.gallery("found", title="Found", text="Boxes.", entries=[{"file": first, "caption": "a"}])
    album.close()
    records = read_records(tmp_path)
    assert records.galleries["found"]["title"] == "Found"
    assert records.galleries["found"]["entries"] == [{"file": first, "caption": "a"}]
    with Image.open(tmp_path / second) as picture:
        assert picture.size == (5, 3)
    assert json.loads((folder.pictures / "index.json").read_text())
