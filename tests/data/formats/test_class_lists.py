"""A file that names classes is read in each of its forms, or refused with the line."""

from pathlib import Path

import pytest

from saccade.data.formats.class_lists import find_class_list, read_class_list
from saccade.errors import DataError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "classes.txt"
    path.write_text(text)
    return path


def test_plain_names_are_numbered_by_their_lines(tmp_path: Path):
    found = read_class_list(written(tmp_path, "# mine\nbackground\n\n traffic light \n7\n"))
    assert found.names == ("background", "traffic light", "7")
    assert found.numbers == (0, 1, 2)
    assert found.colours is None


@pytest.mark.parametrize("text", ["0: none\n255: cell", "0 = none\n255=cell"])
def test_numbers_may_be_said(tmp_path: Path, text: str):
    found = read_class_list(written(tmp_path, text))
    assert (found.names, found.numbers) == (("none", "cell"), (0, 255))


@pytest.mark.parametrize(
    "text",
    [
        "0 0 0 void\n128 64 128\troad side",
        "0, 0, 0, void\n128, 64, 128, road side",
        "name,r,g,b\nvoid,0,0,0\nroad side,128,64,128",
        "void:0,0,0::\nroad side:128,64,128::",
    ],
)
def test_colours_may_stand_before_or_after_the_name(tmp_path: Path, text: str):
    found = read_class_list(written(tmp_path, text))
    assert found.names == ("void", "road side")
    assert found.colours == ((0, 0, 0), (128, 64, 128))
    assert found.numbers == (0, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no class"),
        ("0: none\ncell", r"line 2: 'cell' is of another form than the first line \('0: none'\)"),
        ("cat\ndog\ncat", "two lines have the name 'cat'"),
        ("1: cat\n1: dog", r"two lines have the number or colour \(1,\)"),
        ("0 0 256 sky", r"line 1: the colour \(0, 0, 256\) is out of range"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=message):
        read_class_list(written(tmp_path, text))


def test_the_first_folder_that_has_a_file_counts(tmp_path: Path):
    (tmp_path / "masks").mkdir()
    assert find_class_list(tmp_path, ["", "masks"]) is None
    (tmp_path / "masks" / "labels.txt").write_text("a")
    assert find_class_list(tmp_path, ["", "masks"]) == tmp_path / "masks" / "labels.txt"
    (tmp_path / "classes.txt").write_text("a")
    assert find_class_list(tmp_path, ["", "masks"]) == tmp_path / "classes.txt"
