"""On a contact sheet every picture stands in its place, framed in the colour of its mark."""

import numpy as np
from PIL import Image

from saccade.jobs.embed.sheet import (
    BAR_PX,
    CELL_PX,
    FRAME_PX,
    GAP_PX,
    MARKS,
    Cell,
    Mark,
    contact_sheet,
)

STEP = CELL_PX + 2 * FRAME_PX + GAP_PX


def plain(value: int, *, height: int = 20, width: int = 20, channels: int = 3) -> np.ndarray:
    return np.full((height, width, channels), value, np.uint8)


def pixel(sheet: Image.Image, row: int, column: int, *, x: int, y: int) -> tuple[int, ...]:
    """Of one cell, counted from its frame's corner."""
    found = sheet.getpixel((GAP_PX + column * STEP + x, GAP_PX + row * (STEP + BAR_PX) + y))
    assert isinstance(found, tuple)
    return found


def rgb(mark: Mark) -> tuple[int, ...]:
    return tuple(bytes.fromhex(MARKS[mark][1:]))


def test_pictures_stand_in_rows_and_columns_with_their_frames() -> None:
    sheet = contact_sheet(
        [
            [Cell(plain(10), ("a",), "query"), Cell(plain(20), ("b",), "right")],
            [Cell(plain(30), ("c",), "wrong")],
        ]
    )

    middle = FRAME_PX + CELL_PX // 2
    for row, column, value, mark in ((0, 0, 10, "query"), (0, 1, 20, "right"), (1, 0, 30, "wrong")):
        assert pixel(sheet, row, column, x=middle, y=middle) == (value,) * 3
        assert pixel(sheet, row, column, x=1, y=middle) == rgb(mark)
    assert sheet.size == (2 * STEP + GAP_PX, 2 * (STEP + BAR_PX) + GAP_PX)


def test_a_picture_keeps_its_shape_and_is_not_cut() -> None:
    wide = plain(0, height=10, width=40)
    wide[:, :20] = 200

    sheet = contact_sheet([[Cell(wide, (), "plain")]])

    middle = FRAME_PX + CELL_PX // 2
    assert pixel(sheet, 0, 0, x=FRAME_PX + 2, y=middle) == (200,) * 3
    assert pixel(sheet, 0, 0, x=FRAME_PX + CELL_PX - 3, y=middle) == (0,) * 3
    assert pixel(sheet, 0, 0, x=middle, y=FRAME_PX + 2) == (238,) * 3  # nothing above it


def test_grey_pictures_and_missing_ones_have_their_cells() -> None:
    sheet = contact_sheet([[Cell(plain(99, channels=1), (), "plain"), Cell(None, ("x",), "plain")]])

    middle = FRAME_PX + CELL_PX // 2
    assert pixel(sheet, 0, 0, x=middle, y=middle) == (99,) * 3
    assert pixel(sheet, 0, 1, x=middle, y=middle) == (238,) * 3


def test_text_is_written_under_the_picture_and_stays_in_its_cell() -> None:
    cells = [Cell(plain(0), ("a very long name " * 9, "0.5"), "plain"), Cell(plain(0), (), "plain")]
    sheet = np.asarray(contact_sheet([cells]))

    under = sheet[GAP_PX + STEP - GAP_PX + 2 : -GAP_PX]
    assert (under[:, GAP_PX : GAP_PX + STEP - GAP_PX] < 128).any()
    assert (under[:, GAP_PX + STEP :] == 255).all()


def test_no_cells_are_an_empty_sheet() -> None:
    assert contact_sheet([]).size == (GAP_PX, GAP_PX)
