"""The section on poor pictures says what the figures say, and is left out where there are none."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.reporting.poor import CELL, draw_sheet, poor
from saccade.reporting.records import read_records

FOUND = {
    "n": 40,
    "metric": "top1",
    "clean": {"value": 0.8, "low": 0.7, "high": 0.9},
    "mean": 0.35,
    "mean_new": 0.4,
    "kinds": [
        {"kind": "jpeg", "values": [0.8, 0.6, 0.4, 0.2, 0.0], "is_like_augmentation": False},
        {"kind": "dark", "values": [0.3] * 5, "is_like_augmentation": True},
    ],
}


def records_of(run: Path, found: object):
    (run / "evaluation").mkdir(parents=True)
    (run / "evaluation" / "poor.json").write_text(json.dumps(found))
    return read_records(run)


def test_rows_hold_the_figures_and_their_share_of_the_clean_one(tmp_path: Path) -> None:
    section = poor(records_of(tmp_path, FOUND))

    assert section is not None
    assert (section.metric, section.clean, section.mean, section.mean_new) == (
        "top-1", "0.800", "0.350", "0.400",
    )  # fmt: skip
    jpeg, dark = section.rows
    assert jpeg.cells[0] == ("0.800", 1.0)
    assert jpeg.cells[2] == ("0.400", 0.5)
    assert (jpeg.mean, jpeg.is_like_augmentation, dark.is_like_augmentation) == (
        "0.400", False, True,
    )  # fmt: skip
    assert section.sheet is None


def test_there_is_no_section_without_a_readable_record(tmp_path: Path) -> None:
    assert poor(records_of(tmp_path / "broken", {"n": "many"})) is None
    (tmp_path / "bare").mkdir()
    assert poor(read_records(tmp_path / "bare")) is None


def test_the_sheet_shows_the_picture_and_five_strengths_of_each_kind(tmp_path: Path) -> None:
    picture = np.full((24, 32, 3), 90, np.uint8)

    draw_sheet(picture, ["overexposed", "dark"], tmp_path / "sheet.png")

    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    pitch = sheet.shape[0] // 2
    left = sheet.shape[1] - 6 * pitch
    middle = [sheet[CELL // 4, left + k * pitch + CELL // 2, 0] for k in range(6)]
    assert middle[0] == 90
    assert middle == sorted(middle)
    below = [sheet[pitch + CELL // 4, left + k * pitch + CELL // 2, 0] for k in range(6)]
    assert below[0] == 90 > below[5]
