"""The report shows neighbours of every class, and what the model was shown or drew."""

import json

import pytest
from PIL import Image

from saccade.jobs.pretrain.gallery import NUM_NEAREST, NUM_SHOWN
from saccade.run.folder import RunFolder
from tests.pretrained import pretrained

KINDS = {"visreg": "views", "dino": "views", "mae": "drawings"}


@pytest.mark.parametrize(("method", "kind"), KINDS.items())
def test_there_are_neighbours_and_what_the_method_does(method: str, kind: str) -> None:
    folder = RunFolder(pretrained(method).run)
    index = json.loads((folder.pictures / "index.json").read_text())

    assert set(index) == {"neighbours", kind}
    assert len(index["neighbours"]["entries"]) == 3  # one query of each class
    assert len(index[kind]["entries"]) == NUM_SHOWN
    listed = {entry["file"] for gallery in index.values() for entry in gallery["entries"]}
    assert listed == {f"pictures/{path.name}" for path in folder.pictures.glob("*.png")}


def test_a_row_of_neighbours_is_the_query_and_those_found() -> None:
    folder = RunFolder(pretrained("visreg").run)
    entry = json.loads((folder.pictures / "index.json").read_text())["neighbours"]["entries"][0]

    with Image.open(folder.path / entry["file"]) as sheet:
        width, height = sheet.size
        marks = {sheet.convert("RGB").getpixel((6 + 110 * k, 60)) for k in range(NUM_NEAREST + 1)}

    assert width > 8 * height * 0.7
    assert (0x33, 0x33, 0x33) in marks  # the query
    assert marks <= {(0x33, 0x33, 0x33), (0x1A, 0x96, 0x41), (0xD7, 0x19, 0x1C)}


def test_the_report_holds_them() -> None:
    page = pretrained("mae").report.read_text()

    assert "What the model finds alike" in page
    assert "What the model draws" in page
    assert "Effective rank" in page
