"""One legend of dimension letters holds for the whole project, and a grid counts its tokens."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from saccade import shapes
from saccade.shapes import Grid

PACKAGE = Path(__file__).resolve().parents[1] / "saccade"

# Letters with a meaning inside one file only, each with the place that says which.
LOCAL = {
    "R": "metrics: resamples of the bootstrap",
    "G": "metrics: groups that are summed up",
    "V": "pretraining: views of one picture",
    "S": "metrics: settings, an area range and a threshold each; sigreg: slices",
    "F": "judging samples: numbers that a network makes of a picture",
}


def legend() -> dict[str, str]:
    """Letter to meaning, from the table in the docstring."""
    found: dict[str, str] = {}
    for line in (shapes.__doc__ or "").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and not line.startswith("|-") and cells[0] != "letter":
            for letters, meaning in zip(cells[::2], cells[1::2], strict=True):
                assert not set(letters.split()) & set(found), f"{letters} has two meanings"
                found |= dict.fromkeys(letters.split(), meaning)
    return found


def annotated_letters() -> Iterator[tuple[str, str]]:
    """(letter, file) for each single capital letter in a jaxtyping annotation."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Subscript(slice=ast.Tuple(elts=[_, ast.Constant(value=str(shape))])):
                    for letter in re.findall(r"(?<!\S)[A-Z](?!\S)", shape):
                        yield letter, path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("grid", [Grid(1, 4, 6), Grid(8, 14, 14), Grid(1, 1, 1), Grid(2, 0, 3)])
def test_a_grid_has_one_token_for_each_place(grid: Grid) -> None:
    places = [(t, h, w) for t in range(grid.t) for h in range(grid.h) for w in range(grid.w)]

    assert grid.num_tokens == len(places)


def test_a_grid_is_time_then_height_then_width() -> None:
    t, h, w = Grid(t=1, h=2, w=3)

    assert (t, h, w) == Grid(1, 2, 3) == (1, 2, 3)


def test_the_legend_is_read_whole() -> None:
    found = legend()

    assert set("BTCHWthwPKNMQDAEL") == set(found)
    assert found["B"] == "batch"
    assert found["H"] == found["W"] == "height and width in pixels"


def test_every_letter_in_an_annotation_is_in_the_legend() -> None:
    used = dict(annotated_letters())
    unknown = {letter: file for letter, file in used.items() if letter not in legend()}

    assert set("BCHWND") <= set(used)
    assert set(unknown) == set(LOCAL), unknown
