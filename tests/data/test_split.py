"""Parts are stratified, repeatable, apart from each other, and stay put when pictures are added."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from saccade.data.pictures import PictureArray, PictureFiles
from saccade.data.samples import Samples, Source
from saccade.data.split import Split, fewest_held_out, split
from saccade.errors import DataError


def source(**sizes: list[int]) -> Source:
    """A source with these splits; each list says how many pictures the classes have."""
    splits = {}
    for name, counts in sizes.items():
        labels = np.repeat(np.arange(len(counts)), counts)
        files = tuple(f"{name}/{label}/{i}.jpg" for i, label in enumerate(labels))
        pictures = PictureFiles(Path(), files)
        splits[name] = Samples(pictures=pictures, ids=np.arange(len(labels)), labels=labels)
    return Source(
        path="pets", kind="folder", class_names=("a", "b"), splits=splits, notes=(), ignored=()
    )


def made(of: Source, *, val: float = 0.1, test: float = 0.2, seed: int = 0) -> Split:
    return split(of, val_fraction=val, test_fraction=test, seed=seed)


def names(samples: Samples | None) -> list[str]:
    return [] if samples is None else samples.names()


def counts(samples: Samples | None) -> list[int]:
    return [] if samples is None or samples.labels is None else np.bincount(samples.labels).tolist()


def test_the_parts_hold_every_picture_once_and_their_share_of_each_class():
    parts = made(source(all=[100, 50, 10]))
    everything = names(parts.train) + names(parts.val) + names(parts.test)
    assert sorted(everything) == sorted(source(all=[100, 50, 10]).splits["all"].names())
    assert counts(parts.test) == [20, 10, 2]
    assert counts(parts.val) == [8, 4, 1]
    assert parts.notes == (
        "32 pictures of 160 are held out for test, 20% of each class.",
        "13 pictures of 128 are held out for val, 10% of each class.",
    )


def test_labels_stay_beside_their_pictures():
    for part in made(source(all=[30, 20]))[:3]:
        assert isinstance(part, Samples)
        assert part.labels is not None
        assert [name.split("/")[1] for name in part.names()] == [str(i) for i in part.labels]


def test_the_parts_repeat_and_change_with_the_seed():
    first, again, other = (made(source(all=[50, 50]), seed=seed) for seed in (0, 0, 1))
    assert names(first.test) == names(again.test)
    assert names(first.test) != names(other.test)


def test_splits_of_the_source_are_used_as_they_are():
    given = source(train=[20, 20], val=[5, 5], test=[4, 4])
    parts = made(given)
    assert [parts.train, parts.val, parts.test] == list(given.splits.values())
    assert parts.notes == ()


def test_a_missing_val_is_taken_from_train():
    parts = made(source(train=[20, 20], test=[4, 4]))
    assert (counts(parts.train), counts(parts.val), counts(parts.test)) == (
        [18] * 2,
        [2] * 2,
        [4] * 2,
    )


def test_a_missing_test_is_said_and_not_made():
    parts = made(source(train=[20, 20], val=[4, 4]))
    assert parts.test is None
    assert (counts(parts.train), counts(parts.val)) == ([20, 20], [4, 4])
    assert "There is no test split: the figures are on val (8 pictures)" in parts.notes[0]


def test_no_share_no_part():
    parts = made(source(all=[5, 5]), val=0.0, test=0.0)
    assert (len(parts.train), parts.val, parts.test) == (10, None, None)


def test_without_train_there_is_nothing_to_learn_from():
    with pytest.raises(DataError, match="no train split to learn from, only test"):
        made(source(test=[5, 5]))


@pytest.mark.parametrize("size", [3, 4, 5, 7])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_small_classes_are_in_every_part(size: int, share: float):
    parts = made(source(all=[size, 40]), val=share, test=min(share, 0.5))
    for part in parts[:3]:
        assert isinstance(part, Samples)
        assert counts(part)[0] >= 1


def test_a_class_of_two_still_trains():
    assert counts(made(source(all=[2, 40]), val=0.9, test=0.9).train)[0] == 1


def test_a_single_picture_trains_and_is_said():
    parts = made(source(all=[1, 40]))
    assert counts(parts.train)[0] == 1
    assert any("1 class with one picture: it is used for training" in note for note in parts.notes)


def test_too_few_pictures_leave_no_part():
    parts = made(source(all=[1, 1]))
    assert (len(parts.train), parts.val, parts.test) == (2, None, None)
    assert "Too few pictures to hold any out for test." in parts.notes


def test_unlabelled_pictures_are_split_too():
    pictures = PictureArray(np.zeros((50, 2, 2, 1), dtype=np.uint8), "all")
    samples = Samples(pictures=pictures, ids=np.arange(50), labels=None)
    flat = Source(
        path="p", kind="k", class_names=None, splits={"all": samples}, notes=(), ignored=()
    )
    parts = made(flat)
    assert [len(names(part)) for part in (parts.train, parts.val, parts.test)] == [36, 4, 10]


def test_added_pictures_leave_nearly_all_others_where_they_were():
    before, after = made(source(all=[200, 200])), made(source(all=[200, 210]))
    # The ten new names come last in the second class, so that the old ones stay what they were.
    part_of = {
        name: part for part in range(3) for name in names((before[0], before[1], before[2])[part])
    }
    moved = [
        name
        for part in range(3)
        for name in names((after[0], after[1], after[2])[part])
        if part_of.get(name, part) != part
    ]
    assert len(moved) <= 8


def grouped(sizes: list[int]) -> Source:
    """A source in which the samples of each group follow each other."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    files = tuple(f"video-{group}/{i}.jpg" for i, group in enumerate(groups))
    of = Samples(
        pictures=PictureFiles(Path(), files),
        ids=np.arange(len(groups)),
        labels=np.arange(len(groups)) % 2,
        groups=groups,
    )
    return Source(
        path="clips",
        kind="folder",
        class_names=("a", "b"),
        splits={"all": of},
        notes=(),
        ignored=(),
    )


def test_what_belongs_together_is_never_on_both_sides():
    rng = np.random.default_rng(0)
    source_ = grouped(rng.integers(1, 9, 40).tolist())
    parts = made(source_)
    seen = [set(part.groups.tolist()) for part in parts[:3] if part and part.groups is not None]
    assert len(seen) == 3
    assert seen[0] & seen[1] == seen[0] & seen[2] == seen[1] & seen[2] == set()
    total = len(source_.splits["all"])
    assert sum(len(part) for part in parts[:3] if part) == total
    assert parts.test is not None
    assert 0.2 * total <= len(parts.test) <= 0.2 * total + 9
    assert "groups" in " ".join(parts.notes)


def test_groups_stay_where_they_are_when_others_are_added():
    few, more = made(grouped([3] * 20)), made(grouped([3] * 22))
    held = set(names(few.test))
    assert len(held & set(names(more.test))) >= len(held) - 6


def test_one_group_alone_is_all_trained_on():
    parts = made(grouped([12]))
    assert parts.val is None
    assert parts.test is None
    assert "belong together" in parts.notes[0]


def test_a_search_is_judged_on_two_of_a_class_at_least():
    parts = split(
        source(all=[12, 5, 2]),
        val_fraction=0.1,
        test_fraction=0.1,
        seed=0,
        fewest=fewest_held_out("embed"),
    )
    assert counts(parts.test) == [2, 2]
    assert counts(parts.val) == [2, 2]
    assert counts(parts.train) == [8, 1, 2]
    assert fewest_held_out("classify") == 1
    assert fewest_held_out("pretrain") == 2


def test_where_there_are_no_classes_none_are_spoken_of():
    plain = source(all=[50])
    samples = replace(plain.splits["all"], labels=None)
    parts = made(replace(plain, splits={"all": samples}))
    assert parts.notes[0] == "10 pictures of 50 are held out for test, 20% of them."


def test_the_notes_call_clips_clips():
    def clips(**sizes: list[int]) -> Source:
        pictures = source(**sizes)
        splits = {name: replace(part, noun="clip") for name, part in pictures.splits.items()}
        return replace(pictures, splits=splits)

    grouped = clips(all=[9, 9])
    part = replace(grouped.splits["all"], groups=np.arange(18) // 3)
    together = replace(part, groups=np.zeros(18, dtype=np.int64))
    said = [
        *made(clips(all=[10, 1])).notes,
        *made(clips(all=[1, 1])).notes,
        *made(clips(train=[5, 5], val=[2, 2])).notes,
        *made(replace(grouped, splits={"all": part})).notes,
        *made(replace(grouped, splits={"all": together})).notes,
    ]
    assert all("clip" in note for note in said), said
    assert "picture" not in " ".join(said)
