"""A translator's gallery shows given, both answers and the truth; the worst; several answers."""

import json

import numpy as np
from PIL import Image

from tests import tiny_flow


def galleries() -> dict:
    path = tiny_flow.translator().run / "pictures" / "index.json"
    return json.loads(path.read_text())


def test_four_pictures_stand_side_by_side_with_both_figures() -> None:
    run = tiny_flow.translator().run
    entry = galleries()["translations"]["entries"][0]

    with Image.open(run / entry["file"]) as image:
        assert 3.9 < image.width / image.height < 4.3
    assert "PSNR" in entry["caption"]
    assert "regression" in entry["caption"]
    assert entry["path"].endswith(".png")


def test_the_target_is_the_negative_that_the_source_holds() -> None:
    """Of a strip the first quarter is the condition and the last the truth: they sum to white."""
    run = tiny_flow.translator().run
    entry = galleries()["translations"]["entries"][0]

    with Image.open(run / entry["file"]) as image:
        pixels = np.asarray(image).astype(int)
    side = len(pixels)
    assert (pixels[:, :side] + pixels[:, -side:] == 255).all()


def test_every_gallery_has_pictures_and_says_how_to_read_them() -> None:
    found = galleries()

    assert set(found) == {"translations", "furthest", "varied"}
    for gallery in found.values():
        assert gallery["text"]
        assert gallery["entries"]


def test_the_report_shows_them() -> None:
    page = tiny_flow.translator().result.report.read_text()

    assert "Flow and one-step regression" in page
    assert "Several answers" in page
