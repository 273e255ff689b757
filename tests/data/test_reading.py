"""What is read is whole and in order; what is kept in memory is what would be read again."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from saccade.config.run import Preprocess
from saccade.data.annotations import Boxes
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.loader import Loader
from saccade.data.pictures import PictureArray
from saccade.data.reading import Read, empty_cache, example_bytes, read_many
from saccade.data.samples import Samples
from saccade.data.targets import BoxTargets

SIZE = Preprocess(height=4, width=4, channels=1, fit="squash", mean=(0.5,), std=(0.25,))


@dataclass(frozen=True)
class Numbered:
    """Picture i has i objects of class i; picture 3 has a broken file."""

    def load(self, i: int) -> Boxes:
        if i == 3:
            raise UnreadablePicture("its boxes cannot be read")
        return Boxes(
            boxes_xyxy=np.full((i, 4), i, np.float32),
            labels=np.full(i, i),
            is_crowd=np.zeros(i, bool),
        )

    def stamp(self, i: int) -> str:
        return str(i)


def samples(count: int = 5, *, annotated: bool = True) -> Samples:
    images = np.arange(count, dtype=np.uint8)[:, None, None, None] + np.zeros(
        (1, 8, 6, 1), np.uint8
    )
    return Samples(
        pictures=PictureArray(images, "all"),
        ids=np.arange(count),
        labels=None,
        annotations=Numbered() if annotated else None,
    )


def read(positions: list[int]) -> Read:
    return read_many(
        samples(), np.array(positions), SIZE, keeps_sizes=False, stop=threading.Event()
    )


def test_the_bad_are_left_out_and_named_and_the_rest_stays_in_order():
    found = read([4, 3, 1])
    assert found.positions.tolist() == [4, 1]
    assert found.images[:, 0, 0, 0].tolist() == [4, 1]
    assert [len(each.labels) for each in found.annotations if isinstance(each, Boxes)] == [4, 1]
    assert found.sizes == [(8, 6), (8, 6)]
    assert found.bad == {3: "its boxes cannot be read"}


def test_a_cache_gives_back_what_was_read_in_any_order():
    cache = empty_cache(5, SIZE)
    cache.put(read([0, 1]))
    cache.put(read([4, 2, 3]))
    found = cache.take(np.array([4, 0, 2]))
    again = read([4, 0, 2])
    assert (found.images == again.images).all()
    assert found.sizes == again.sizes
    for kept, fresh in zip(found.annotations, again.annotations, strict=True):
        assert isinstance(kept, Boxes)
        assert isinstance(fresh, Boxes)
        assert (kept.boxes_xyxy == fresh.boxes_xyxy).all()


def test_a_stop_ends_between_two_pictures():
    stop = threading.Event()
    stop.set()
    found = read_many(samples(), np.arange(5), SIZE, keeps_sizes=False, stop=stop)
    assert len(found.images) == 0


def test_an_annotation_takes_memory_too():
    assert example_bytes(samples(annotated=False), SIZE) == 16
    assert example_bytes(samples(), SIZE) > 16


@pytest.mark.parametrize("cache_bytes", [0, 10**6], ids=["on demand", "in memory"])
def test_a_loader_gives_targets_and_sizes(cache_bytes: int):
    loader = Loader(
        samples(), SIZE, batch_size=3, num_threads=1, cache_bytes=cache_bytes, max_bad_fraction=1.0
    )
    loader.prepare()
    first, second = loader.batches()
    assert isinstance(first.targets, BoxTargets)
    assert first.targets.labels.tolist() == [[-1, -1], [1, -1], [2, 2]]
    assert first.sizes is not None
    assert first.sizes.tolist() == [[8, 6]] * 3
    assert second.ids.tolist() == [4]
    assert loader.bad == {"all#3": "its boxes cannot be read"}
