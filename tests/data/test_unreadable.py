"""Few unreadable pictures are named, many stop the work, and too few say nothing."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.loader import Loader
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Samples
from saccade.errors import DataError

PREPROCESS = Preprocess(height=6, width=6, channels=3, fit="crop", mean=(0.5,), std=(0.5,))
IN_MEMORY, ON_DEMAND = 1 << 30, 0
NUM = 11


def pictures(folder: Path, *, num: int = NUM, num_bad: int) -> Samples:
    """Of which the first ones are broken."""
    names = tuple(f"{i}.png" for i in range(num))
    for i, name in enumerate(names):
        Image.new("RGB", (6, 6)).save(folder / name)
        if i < num_bad:
            (folder / name).write_bytes(b"no picture")
    return Samples(pictures=PictureFiles(folder, names), ids=np.arange(num), labels=None)


def loader(samples: Samples, *, cache_bytes: int, max_bad_fraction: float = 0.2) -> Loader:
    made = Loader(
        samples,
        PREPROCESS,
        batch_size=4,
        num_threads=2,
        cache_bytes=cache_bytes,
        max_bad_fraction=max_bad_fraction,
    )
    made.prepare()
    return made


@pytest.mark.parametrize("cache_bytes", [IN_MEMORY, ON_DEMAND])
def test_too_many_bad_pictures_stop_the_work(tmp_path: Path, cache_bytes: int):
    wanted = r"3 of 11 pictures \(27\.3%\) cannot be read; 20\.0% are allowed .*\n  0\.png: not a"
    with pytest.raises(DataError, match=wanted):
        list(loader(pictures(tmp_path, num_bad=3), cache_bytes=cache_bytes).batches())


def test_what_is_bad_is_called_by_its_noun(tmp_path: Path):
    clips = replace(pictures(tmp_path, num_bad=NUM), noun="clip")
    with pytest.raises(DataError, match=r"11 of 11 clips \(100"):
        list(loader(clips, cache_bytes=ON_DEMAND).batches())
    made = loader(clips, cache_bytes=ON_DEMAND, max_bad_fraction=1.0)
    with pytest.raises(DataError, match="none of 11 clips can be read"):
        next(made.training_batches(0, start_step=0))


def test_bad_pictures_are_judged_after_twenty(tmp_path: Path):
    samples = pictures(tmp_path, num=60, num_bad=3)
    made = loader(samples, cache_bytes=ON_DEMAND, max_bad_fraction=0.1)
    batches = made.batches()
    seen = [len(batch) for batch in islice(batches, 4)]
    assert seen == [1, 4, 4, 4]  # three of sixteen are bad, but that may be chance
    with pytest.raises(DataError, match="3 of 20 pictures"):
        next(batches)


def test_where_no_picture_can_be_read_only_the_first_are_named(tmp_path: Path):
    samples = pictures(tmp_path, num=40, num_bad=40)
    with pytest.raises(DataError, match=r"none of 40 pictures can be read\. The first:") as caught:
        loader(samples, cache_bytes=IN_MEMORY, max_bad_fraction=1.0)
    assert str(caught.value).count("not a picture") == 5
