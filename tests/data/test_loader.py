"""Batches hold the right pictures in the right order, from any step, with any number of threads."""

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.augment.draws import permutation
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.pictures import PictureArray, PictureFiles
from saccade.data.preprocess import fit_picture
from saccade.data.samples import Samples
from saccade.errors import DataError

NUM = 11
PREPROCESS = Preprocess(height=6, width=6, channels=3, fit="crop", mean=(0.5,), std=(0.5,))
IN_MEMORY, ON_DEMAND = 1 << 30, 0

MakeLoader = Callable[..., Loader]


@pytest.fixture(params=[IN_MEMORY, ON_DEMAND], ids=["in memory", "on demand"])
def cache_bytes(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    """Eleven pictures of one grey each, ten times their id, listed backwards from id 12 to 2."""
    names = tuple(f"{i}.png" for i in range(13))
    for i, name in enumerate(names):
        Image.new("RGB", (9, 7), (10 * i,) * 3).save(tmp_path / name)
    ids = np.arange(12, 12 - NUM, -1)
    return Samples(pictures=PictureFiles(tmp_path, names), ids=ids, labels=ids % 3)


def loader(
    samples: Samples,
    *,
    batch_size: int = 4,
    num_threads: int = 2,
    cache_bytes: int = IN_MEMORY,
    max_bad_fraction: float = 0.2,
    rank: int = 0,
    num_ranks: int = 1,
) -> Loader:
    made = Loader(
        samples,
        PREPROCESS,
        batch_size=batch_size,
        num_threads=num_threads,
        cache_bytes=cache_bytes,
        max_bad_fraction=max_bad_fraction,
        rank=rank,
        num_ranks=num_ranks,
    )
    made.prepare()
    return made


def training_ids(of: Loader, num: int, *, start_step: int = 0, seed: int = 0) -> list[list[int]]:
    batches = of.training_batches(seed, start_step=start_step)
    ids = [batch.ids.tolist() for _, batch, _ in islice(batches, num)]
    batches.close()
    return ids


def assert_whole(batch: Batch) -> None:
    """Pictures, labels and ids belong together."""
    assert batch.images.shape[1:] == (3, 6, 6)
    assert torch.equal(
        batch.images, (batch.ids * 10).byte()[:, None, None, None].expand_as(batch.images)
    )
    assert batch.labels is not None
    assert torch.equal(batch.labels, batch.ids % 3)


def test_one_pass_gives_everything_in_order(samples: Samples, cache_bytes: int):
    batches = list(loader(samples, cache_bytes=cache_bytes).batches())
    assert [len(batch) for batch in batches] == [4, 4, 3]
    assert [i for batch in batches for i in batch.ids.tolist()] == samples.ids.tolist()
    for batch in batches:
        assert_whole(batch)


@pytest.mark.parametrize(("num_ranks", "most"), [(1, None), (2, None), (3, 5), (5, 99), (2, 1)])
def test_processes_share_one_pass_whatever_their_number(
    samples: Samples, cache_bytes: int, num_ranks: int, most: int | None
):
    made = [
        loader(samples, cache_bytes=cache_bytes, batch_size=3, rank=rank, num_ranks=num_ranks)
        for rank in range(num_ranks)
    ]
    shares = [[batch.ids.tolist() for batch in each.shared_batches(most=most)] for each in made]

    num = min(NUM, -(-(most or NUM) // 3) * 3)
    judged = samples.ids[np.linspace(0, NUM - 1, num).astype(int)].tolist()
    assert [i for share in shares for ids in share for i in ids] == judged
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_training_follows_the_permutation_of_each_epoch(samples: Samples, cache_bytes: int):
    made = loader(samples, cache_bytes=cache_bytes)
    assert (made.num_pictures, made.batch_size, made.steps_per_epoch) == (NUM, 4, 2)
    batches = made.training_batches(7, start_step=0)
    for step, (epoch, batch, _) in enumerate(islice(batches, 6)):
        assert epoch == step // 2
        order = samples.ids[permutation(7, epoch, NUM)]
        assert batch.ids.tolist() == order[step % 2 * 4 : (step % 2 + 1) * 4].tolist()
        assert_whole(batch)
    batches.close()


def test_training_can_start_anywhere(samples: Samples, cache_bytes: int):
    made = loader(samples, cache_bytes=cache_bytes)
    whole = training_ids(made, 9)
    for step in range(8):
        assert training_ids(made, 1, start_step=step) == whole[step : step + 1]
    far = samples.ids[permutation(0, 10**9, NUM)][:4].tolist()
    assert training_ids(made, 1, start_step=2 * 10**9) == [far]


def test_the_number_of_threads_does_not_matter(samples: Samples, cache_bytes: int):
    found = [
        training_ids(loader(samples, cache_bytes=cache_bytes, num_threads=n), 7) for n in (1, 2, 5)
    ]
    assert found[0] == found[1] == found[2]


def test_a_batch_larger_than_the_data_is_the_data(samples: Samples):
    made = loader(samples, batch_size=100)
    assert (made.batch_size, made.steps_per_epoch) == (NUM, 1)
    assert sorted(training_ids(made, 1)[0]) == sorted(samples.ids.tolist())
    assert [len(batch) for batch in made.batches()] == [NUM]


def test_unlabelled_samples_give_no_targets(samples: Samples, cache_bytes: int):
    plain = Samples(pictures=samples.pictures, ids=samples.ids, labels=None)
    batch = next(loader(plain, cache_bytes=cache_bytes).batches())
    assert batch.targets is None


def test_processes_have_equal_shares_of_each_batch_and_neighbours_stay_together(
    samples: Samples, cache_bytes: int
):
    def part_of(rank: int, num_ranks: int) -> list[list[int]]:
        of = Loader(
            samples, PREPROCESS, batch_size=8, num_threads=1, cache_bytes=cache_bytes,
            max_bad_fraction=0.2, rank=rank, num_ranks=num_ranks,
        )  # fmt: skip
        return training_ids(of, 5)

    whole, first, second = part_of(0, 1), part_of(0, 2), part_of(1, 2)

    assert [len(batch) for batch in first] == [4] * 5
    assert whole == [a + b for a, b in zip(first, second, strict=True)]


def break_pictures(samples: Samples, *ids: int) -> None:
    assert isinstance(samples.pictures, PictureFiles)
    for i in ids:
        (samples.pictures.root / samples.pictures.name(i)).write_bytes(b"no picture")


def test_bad_pictures_are_left_out_and_named(samples: Samples, cache_bytes: int):
    break_pictures(samples, 12, 5)
    made = loader(samples, cache_bytes=cache_bytes)
    ids = [i for batch in made.batches() for i in batch.ids.tolist()]
    assert ids == [i for i in samples.ids.tolist() if i not in (12, 5)]
    assert set(made.bad) == {"12.png", "5.png"}
    assert "not a picture" in made.bad["5.png"]
    for _, batch, _ in islice(made.training_batches(0, start_step=0), 6):
        assert_whole(batch)


def test_a_batch_without_a_picture_is_passed_over_by_all_processes_alike(samples: Samples):
    order = samples.ids[permutation(0, 0, NUM)]
    break_pictures(samples, *order[4:8].tolist(), *order[2:4].tolist())

    def places(rank: int, num_ranks: int) -> list[tuple[int, list[int]]]:
        made = loader(samples, cache_bytes=0, max_bad_fraction=1.0, rank=rank, num_ranks=num_ranks)
        found = islice(made.training_batches(0, start_step=0), 4)
        return [(place, sorted(batch.ids.tolist())) for _, batch, place in found]

    whole, first, second = places(0, 1), places(0, 2), places(1, 2)

    assert [place for place, _ in whole] == [0, 2, 3, 4]
    assert [place for place, _ in first] == [place for place, _ in second] == [0, 2, 3, 4]
    assert first[0] == second[0] == whole[0]  # the second had nothing of its own to read
    assert {*first[1][1], *second[1][1]} == {*whole[1][1]}


def test_bad_pictures_found_first_take_no_place_in_a_batch(samples: Samples):
    break_pictures(samples, 12, 5)
    made = loader(samples)
    assert made.num_pictures == 9
    assert all(len(ids) == 4 for ids in training_ids(made, 6))
    assert made.class_counts(4).tolist() == [3, 3, 3, 0]


def test_nothing_to_learn_from_is_an_error_and_not_a_wait(samples: Samples, cache_bytes: int):
    break_pictures(samples, *samples.ids.tolist())
    with pytest.raises(DataError, match="none of 11 pictures can be read"):
        training_ids(loader(samples, cache_bytes=cache_bytes, max_bad_fraction=1.0), 1)


def test_prediction_on_bad_pictures_goes_on(samples: Samples):
    break_pictures(samples, *samples.ids.tolist())
    made = loader(samples, cache_bytes=ON_DEMAND, max_bad_fraction=1.0)
    assert list(made.batches()) == []
    assert len(made.bad) == NUM


def array_samples(ids: list[int]) -> Samples:
    images = (
        np.arange(5, dtype=np.uint8)[:, None, None, None].repeat(6, 1).repeat(6, 2).repeat(3, 3)
    )
    pictures = PictureArray(images * 10, "train")
    return Samples(pictures=pictures, ids=np.array(ids), labels=np.array(ids) % 3)


def test_arrays_of_the_right_size_are_not_copied(monkeypatch: pytest.MonkeyPatch):
    of = array_samples([4, 2, 3])
    monkeypatch.setattr(PictureArray, "load", None)  # would fail if it was called
    made = loader(of, batch_size=2, cache_bytes=0)
    batches = list(made.batches())
    assert [batch.ids.tolist() for batch in batches] == [[4, 2], [3]]
    for batch in batches:
        assert_whole(batch)
        batch.images.zero_()  # a batch is the caller's own
    assert_whole(next(made.batches()))


def test_arrays_of_the_right_size_are_still_cut_where_the_preprocessing_cuts():
    noise = np.random.default_rng(0).integers(256, size=(3, 6, 6, 3), dtype=np.uint8)
    of = Samples(pictures=PictureArray(noise, "train"), ids=np.arange(3), labels=None)
    wanted = replace(PREPROCESS, resize_side=8)
    made = Loader(of, wanted, batch_size=3, num_threads=1, cache_bytes=0, max_bad_fraction=0.0)
    made.prepare()
    (batch,) = made.batches()
    for image, picture in zip(batch.images.numpy(), noise, strict=True):
        assert (image == fit_picture(picture, wanted)).all()
        assert (image != picture.transpose(2, 0, 1)).any()


def test_progress_reaches_the_end(samples: Samples):
    seen: list[tuple[int, int]] = []
    made = Loader(
        samples,
        PREPROCESS,
        batch_size=2,
        num_threads=2,
        cache_bytes=IN_MEMORY,
        max_bad_fraction=0.0,
    )
    made.prepare(lambda done, total: seen.append((done, total)))
    assert seen[-1] == (NUM, NUM)


def num_decoders() -> int:
    return sum(thread.name.startswith("decode") for thread in threading.enumerate())


def test_no_thread_outlives_its_iterator(samples: Samples, cache_bytes: int):
    made = loader(samples, cache_bytes=cache_bytes)
    closed, dropped = (made.training_batches(0, start_step=0) for _ in range(2))
    next(closed)
    next(dropped)
    assert num_decoders() > 0
    closed.close()
    del dropped
    list(made.batches())
    assert num_decoders() == 0


def test_other_errors_are_not_swallowed(samples: Samples, monkeypatch: pytest.MonkeyPatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(PictureFiles, "load", fail)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(loader(samples, cache_bytes=ON_DEMAND).batches())
    assert num_decoders() == 0
