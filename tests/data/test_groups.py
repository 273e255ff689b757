"""groups.csv says which clips belong together, by path or pattern, and splits keep them apart."""

from pathlib import Path

import numpy as np
import pytest

from saccade.data.groups import read_groups, require_apart
from saccade.data.pictures import PictureArray
from saccade.data.samples import Samples
from saccade.errors import DataError

CLIPS = ["wave/F01_01", "wave/F02_01", "jump/F01_02", "jump/M07_02"]


def write(folder: Path, text: str) -> Path:
    path = folder / "groups.csv"
    path.write_text(text)
    return path


def test_patterns_and_paths_name_groups_and_the_first_that_fits_decides(tmp_path: Path):
    path = write(tmp_path, "clip,group\nwave/F02_01,special\n*/F01_*,one\n*/F*,rest\n*/M*,men\n")
    groups, notes = read_groups(path, CLIPS)
    assert groups is not None
    assert [groups.names[k] for k in groups.numbers] == ["one", "special", "one", "men"]
    assert notes == ["groups.csv: 3 groups, each kept in one split"]


def test_a_clip_without_a_line_is_a_group_of_its_own_and_that_is_said(tmp_path: Path):
    groups, notes = read_groups(write(tmp_path, "clip,group\n*/F01_*,one\n"), CLIPS)
    assert groups is not None
    assert len(set(groups.numbers.tolist())) == 3
    assert groups.numbers[0] == groups.numbers[2]
    assert notes[1] == "groups.csv has no line for 2 clips, each kept by itself"


def test_a_group_called_like_a_clip_is_not_that_clip(tmp_path: Path):
    groups, _ = read_groups(write(tmp_path, "clip,group\n*/F01_*,wave/F02_01\n"), CLIPS)
    assert groups is not None
    assert groups.numbers[0] != groups.numbers[1]


def test_without_the_file_there_are_no_groups(tmp_path: Path):
    assert read_groups(tmp_path / "groups.csv", CLIPS) == (None, [])


def test_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path):
    path = tmp_path / "groups.csv"
    path.write_bytes(b"\xef\xbb\xbfClip, Group\r\n\r\n*/F01_*,one\r\n,\r\n")
    groups, _ = read_groups(path, CLIPS)
    assert groups is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with 'nothing'; expected the line clip,group"),
        ("wave/F01_01,one\n", "begins with 'wave/F01_01,one'; expected"),
        ("clip,group\nwave/F01_01\n", "line 2: 'wave/F01_01'; expected a clip, a group"),
        ("clip,group\n\nwave/F01_01,\n", "line 3: 'wave/F01_01,'; expected"),
        ("clip,group\nother/*,one\n", "none of its lines fits any of 4 clips, such as wave/F01_01"),
    ],
)
def test_another_table_is_refused_with_its_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=message):
        read_groups(write(tmp_path, text), CLIPS)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    path = tmp_path / "groups.csv"
    path.write_bytes(b"clip,group\n\xff\xfe\x00,one\n")
    with pytest.raises(DataError, match=r"groups\.csv cannot be read"):
        read_groups(path, CLIPS)


def test_a_group_in_two_splits_is_refused_by_name(tmp_path: Path):
    groups, _ = read_groups(write(tmp_path, "clip,group\n*/F01_*,one\n*/F02_*,two\n"), CLIPS)
    assert groups is not None
    pictures = PictureArray(np.zeros((4, 1, 1, 3), np.uint8), "x")

    def part(*ids: int) -> Samples:
        chosen = np.array(ids)
        return Samples(pictures=pictures, ids=chosen, labels=None, groups=groups.numbers[chosen])

    require_apart("clips", {"train": part(0, 2), "test": part(1, 3)}, groups)
    with pytest.raises(
        DataError, match=r"clips: 1 group of groups.csv .* one \(in train and test\)"
    ):
        require_apart("clips", {"train": part(0, 1), "test": part(2, 3)}, groups)
