"""A survey sees a few pictures, spread evenly, and survives the broken ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.pictures import PictureArray
from saccade.data.samples import Samples
from saccade.data.sources import open_pictures
from saccade.data.survey import Survey, survey
from saccade.errors import DataError

WritePictures = Callable[..., None]


def test_a_survey_gives_medians_and_the_largest_side(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("1.png", "2.png", size=(20, 10))
    write_pictures("3.png", size=(30, 90))
    found = survey(open_pictures([tmp_path]))
    sizes = sorted(path.stat().st_size for path in tmp_path.iterdir())
    assert found == Survey(
        num_pictures=3,
        median_height=10,
        median_width=20,
        largest_side=90,
        is_grey=False,
        median_bytes=sizes[1],
    )


def test_grey_means_all_of_them(tmp_path: Path, write_pictures: WritePictures):
    for name in ("1.png", "2.png"):
        Image.new("L", (4, 4)).save(tmp_path / name)
    assert survey(open_pictures([tmp_path])).is_grey
    write_pictures("3.png")
    assert not survey(open_pictures([tmp_path])).is_grey


def test_unreadable_pictures_are_passed_over(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("1.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    assert survey(open_pictures([tmp_path])).median_height == 7
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="none of 2 pictures can be read"):
        survey(open_pictures([tmp_path]))


def test_only_so_many_are_looked_at_evenly_spread():
    looked_at: list[int] = []

    class Watched(PictureArray):
        def num_bytes(self, i: int) -> int:
            looked_at.append(i)
            return super().num_bytes(i)

    pictures = Watched(np.zeros((100, 2, 2, 1), dtype=np.uint8), "all")
    found = survey(Samples(pictures=pictures, ids=np.arange(100), labels=None), limit=4)
    assert looked_at == [0, 25, 50, 75]
    assert found.num_pictures == 100
