"""A generator's gallery shows each class, the ways from noise, the nearest training pictures."""

import json

from PIL import Image

from tests import tiny, tiny_flow


def galleries() -> dict:
    path = tiny_flow.generator().run / "pictures" / "index.json"
    return json.loads(path.read_text())


def test_there_is_a_row_of_samples_for_each_class_and_one_of_real_pictures() -> None:
    captions = [entry["caption"] for entry in galleries()["samples"]["entries"]]

    assert captions[:3] == list(tiny.CLASSES)
    assert "real" in captions[3]


def test_every_file_is_a_picture_inside_the_run() -> None:
    run = tiny_flow.generator().run
    found = galleries()

    assert set(found) == {"samples", "denoising", "nearest"}
    for gallery in found.values():
        assert gallery["title"]
        assert gallery["text"]
        for entry in gallery["entries"]:
            with Image.open(run / entry["file"]) as image:
                assert image.width > 100


def test_a_way_has_several_moments_side_by_side() -> None:
    run = tiny_flow.generator().run
    entry = galleries()["denoising"]["entries"][0]

    with Image.open(run / entry["file"]) as image:
        assert image.width > 4 * image.height


def test_the_report_shows_them() -> None:
    page = tiny_flow.generator().result.report.read_text()

    assert "From noise to a picture" in page
    assert "How far from real pictures" in page
