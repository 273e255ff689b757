"""Which pictures train, which choose the best weights, which give the final figures."""

import hashlib
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt64

from saccade.config.task import JobName
from saccade.data.layout import ALL
from saccade.data.samples import Samples, Source, count
from saccade.errors import DataError


class Split(NamedTuple):
    """The three parts of a source; no picture is in two of them.

    Attributes:
        train: to learn from.
        val: held out of training to choose the best weights; None if its share is 0.
        test: for the final figures only; None if there is none.
        notes: sentences for the user about how the parts were made, with counts.
    """

    train: Samples
    val: Samples | None
    test: Samples | None
    notes: tuple[str, ...]


def split(
    source: Source, *, val_fraction: float, test_fraction: float, seed: int, fewest: int = 1
) -> Split:
    """Uses the splits that the source has and makes the missing ones.

    A source without splits gives ``test_fraction`` of its pictures to test and ``val_fraction`` of
    the rest to val; one with train and test gives ``val_fraction`` of train to val. A source with
    val but no test has no test part: its figures are those on val.

    The parts are stratified and depend on the seed and the pictures' names alone: in each class
    the pictures are ordered by a hash of (seed, name) and the first ones are held out, so pictures
    that are added later leave nearly all others where they were.

    Args:
        source: with or without labels; without, all pictures count as one class.
        val_fraction: at least 0, below 1.
        test_fraction: at least 0, below 1.
        seed: another seed makes other parts.
        fewest: pictures of a class to hold out at least, where it has more; see
            ``fewest_held_out``.

    Raises:
        DataError: the source has splits, but none to train on.
    """
    assert 0 <= val_fraction < 1
    assert 0 <= test_fraction < 1
    parts = source.splits
    notes: list[str] = []
    if ALL in parts:
        # Test leaves so many of a class where it can that val gets its share too.
        keep = 1 + fewest if val_fraction > 0 else 1
        train, test = _hold_out(
            parts[ALL], "test", test_fraction, keep=keep, fewest=fewest, seed=seed, notes=notes
        )
        train, val = _hold_out(
            train, "val", val_fraction, keep=1, fewest=fewest, seed=seed, notes=notes
        )
        return Split(train, val, test, tuple(notes))

    if "train" not in parts:
        raise DataError(f"{source.path} has no train split to learn from, only {', '.join(parts)}.")
    train, val, test = parts["train"], parts.get("val"), parts.get("test")
    if val is None:
        train, val = _hold_out(
            train, "val", val_fraction, keep=1, fewest=fewest, seed=seed, notes=notes
        )
    elif test is None:
        notes.append(
            f"There is no test split: the figures are on val ({count(len(val), val.noun)}), which "
            "also chooses the best weights, so they are slightly too good."
        )
    return Split(train, val, test, tuple(notes))


def fewest_held_out(job: JobName) -> int:
    """How many pictures of a class are needed to judge a job: vectors are compared in pairs."""
    return 2 if job in ("embed", "pretrain") else 1


def _hold_out(
    samples: Samples,
    part: str,
    fraction: float,
    *,
    keep: int,
    fewest: int,
    seed: int,
    notes: list[str],
) -> tuple[Samples, Samples | None]:
    """Takes a share of every class away from the training pictures.

    Returns:
        The pictures kept and the ones held out, both in their old order.
    """
    if fraction == 0:
        return samples, None
    if samples.groups is not None:
        return _hold_out_groups(samples, part, fraction, seed=seed, notes=notes)
    labels = np.zeros(len(samples), dtype=np.int64) if samples.labels is None else samples.labels
    # The part's name is hashed too: val must not be drawn from just the ones test left over first.
    hashes = _hashes(samples.names(), f"{seed} {part}")
    shares = _shares(np.bincount(labels), fraction, keep=keep, fewest=fewest)
    held = _first_of_each(labels, hashes, shares)
    if not held.any():
        notes.append(f"Too few {samples.noun}s to hold any out for {part}.")
        return samples, None
    notes.append(
        f"{count(int(held.sum()), samples.noun)} of {len(samples):,} "
        f"{'are' if held.sum() != 1 else 'is'} held out for {part}, "
        f"{fraction:.0%} of {'them' if samples.labels is None else 'each class'}."
    )
    single = int((np.bincount(labels) == 1).sum())
    if single:
        notes.append(
            f"{count(single, 'class')} with one {samples.noun}: it is used for training, so "
            f"{part} cannot judge that class."
        )
    return samples.take(np.flatnonzero(~held)), samples.take(np.flatnonzero(held))


def _hold_out_groups(
    samples: Samples, part: str, fraction: float, *, seed: int, notes: list[str]
) -> tuple[Samples, Samples | None]:
    """The same for samples that belong together: a group is held out whole, or not at all.

    Groups are taken in the order of their hashes until their samples are the share wanted, so the
    share is met to within a group, and classes are as the groups bring them.
    """
    assert samples.groups is not None
    _, first, group_of, sizes = np.unique(
        samples.groups, return_index=True, return_inverse=True, return_counts=True
    )
    names = samples.names()
    hashes = _hashes([names[position] for position in first.tolist()], f"{seed} {part}")
    order = np.argsort(hashes, kind="stable")
    total = np.cumsum(sizes[order])
    num_held = int(np.searchsorted(total, fraction * len(samples))) + 1
    num_held = min(num_held, len(sizes) - 1)
    if num_held == 0:
        notes.append(f"All {samples.noun}s belong together, so none can be held out for {part}.")
        return samples, None
    held = np.isin(group_of, order[:num_held])
    notes.append(
        f"{count(int(held.sum()), samples.noun)} of {len(samples):,} are held out for {part}: "
        f"{count(num_held, 'group')} of {len(sizes):,}, each whole."
    )
    return samples.take(np.flatnonzero(~held)), samples.take(np.flatnonzero(held))


def _first_of_each(
    labels: Int64[np.ndarray, " N"],
    hashes: UInt64[np.ndarray, " N"],
    shares: Int64[np.ndarray, " K"],
) -> Bool[np.ndarray, " N"]:
    """Marks, in each class, its share of pictures: those with the smallest hashes.

    The plain version::

        for label in range(K):
            members = sorted(np.flatnonzero(labels == label), key=lambda i: hashes[i])
            marked[members[: shares[label]]] = True
    """
    order = np.lexsort((hashes, labels))
    sizes = np.bincount(labels)
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(labels)) - starts[labels[order]]
    marked = np.zeros(len(labels), dtype=bool)
    marked[order] = rank < shares[labels[order]]
    return marked


def _shares(
    sizes: Int64[np.ndarray, " K"], fraction: float, *, keep: int, fewest: int
) -> Int64[np.ndarray, " K"]:
    """How many of each class to hold out: the rounded share, at least ``fewest``, and never all.

    Classes large enough are left with ``keep`` pictures, smaller ones with what is left; one of no
    more than ``fewest`` gives none.
    """
    wanted = np.rint(sizes * fraction).astype(np.int64)
    most = np.maximum(sizes - keep, fewest)
    return np.where(sizes > fewest, np.clip(wanted, fewest, most), 0)


def _hashes(names: list[str], salt: str) -> UInt64[np.ndarray, " N"]:
    """64 bits for each name, the same on every machine and in every version of Python."""
    start = hashlib.blake2b(f"{salt}\0".encode(), digest_size=8)
    digests = bytearray()
    for name in names:
        of_name = start.copy()
        of_name.update(name.encode("utf-8", "surrogateescape"))
        digests += of_name.digest()
    return np.frombuffer(bytes(digests), dtype="<u8").astype(np.uint64)
