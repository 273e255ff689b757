"""From samples to batches: decoded once into memory where they fit, else by threads as they go."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from saccade.config.run import Preprocess
from saccade.data.augment.draws import permutation
from saccade.data.batch import Batch
from saccade.data.preprocess import leaves_untouched
from saccade.data.reading import Cache, Read, empty_cache, example_bytes, read_many
from saccade.data.samples import Samples
from saccade.data.targets import collate
from saccade.data.unreadable import Unreadable

_AHEAD = 3  # batches made before they are asked for, beyond one per thread
_PREPARE_CHUNK = 32  # pictures decoded per job while filling the memory


class TrainingBatch(NamedTuple):
    """A batch, the pass over the data, from 0, that it belongs to, and its place in the order.

    Places count from 0; one is passed over where no picture of its batch can be read.
    """

    epoch: int
    batch: Batch
    place: int


class Loader:
    """Batches of one source part, the same for any number of threads.

    Which pictures are in a training batch is a function of (seed, step), so a run can start at any
    step at once. Threads and not processes: decoders release Python's lock, nothing is copied
    between processes, and Ctrl-C ends at once.

    Attributes:
        samples: as given.
    """

    def __init__(
        self,
        samples: Samples,
        preprocess: Preprocess,
        *,
        batch_size: int,
        num_threads: int,
        cache_bytes: int,
        max_bad_fraction: float,
        keeps_sizes: bool = False,
        rank: int = 0,
        num_ranks: int = 1,
    ) -> None:
        """Reads nothing yet.

        Args:
            samples: with labels for training, with or without for anything else.
            preprocess: the size of every picture.
            batch_size: pictures per batch; more than there are means all of them.
            num_threads: that decode, at least 1.
            cache_bytes: decoded pictures are kept if all of them together are not larger.
            max_bad_fraction: the share of unreadable pictures above which reading stops.
            keeps_sizes: whether batches say how large each picture was before it was fitted;
                those with annotations always do.
            rank, num_ranks: of several processes that train together each has an equal share of
                every training batch, neighbours together, and of all ``shared_batches``: this is
                that of process number ``rank``.
        """
        assert len(samples) >= 1
        assert batch_size >= 1
        assert num_threads >= 1
        self.samples = samples
        self._preprocess = preprocess
        self._batch_size = batch_size
        self._num_threads = num_threads
        self._cache_bytes = cache_bytes
        self._unreadable = Unreadable(samples, most=max_bad_fraction)
        self._used = np.arange(len(samples))  # positions in samples; prepare drops the bad
        self._keeps_sizes = keeps_sizes
        self._rank, self._num_ranks = rank, num_ranks
        self._cache: Cache | None = None  # None: decode every time

    @property
    def bad(self) -> dict[str, str]:
        """The unreadable pictures met so far, by name, with the reason."""
        return self._unreadable.reasons

    @property
    def num_pictures(self) -> int:
        """Pictures in one pass: all samples, less the bad ones that ``prepare`` found."""
        return len(self._used)

    @property
    def batch_size(self) -> int:
        """Pictures in a training batch, those of all processes together."""
        return min(self._batch_size, self.num_pictures // self._num_ranks * self._num_ranks)

    @property
    def steps_per_epoch(self) -> int:
        """Training batches in one pass; a last partial one is left to other passes."""
        return self.num_pictures // self.batch_size

    def class_counts(self, num_classes: int) -> Int64[np.ndarray, " K"]:
        """How many of the pictures belong to each class."""
        assert self.samples.labels is not None
        return np.bincount(self.samples.labels[self._used], minlength=num_classes)

    def prepare(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Decodes all pictures into memory if they fit, and takes the unreadable ones out.

        Where they do not fit it does nothing: pictures are then decoded each time, and a bad one is
        left out of its batch when it is met.

        Args:
            progress: called with (pictures done, pictures in all) once in a while.

        Raises:
            DataError: more pictures are unreadable than allowed, or all.
        """
        total = len(self.samples)
        stack = self._stack()
        if stack is not None:
            self._cache = Cache(stack, [], [], self.samples.ids)
            return
        if total * example_bytes(self.samples, self._preprocess) > self._cache_bytes:
            return

        cache = empty_cache(total, self._preprocess)
        jobs = (
            [np.arange(i, min(i + _PREPARE_CHUNK, total))] for i in range(0, total, _PREPARE_CHUNK)
        )
        with contextlib.closing(self._in_threads(jobs)) as results:
            for read in results:
                cache.put(read)
                self._unreadable.note(read, num_judged=total)
                if progress is not None:
                    progress(self._unreadable.num_seen, total)
        self._cache = cache
        self._used = np.flatnonzero(~self._unreadable.is_bad)
        self._unreadable.check_any_left()

    def training_batches(
        self, seed: int, *, start_step: int
    ) -> Generator[TrainingBatch, None, None]:
        """Endless batches of shuffled pictures, made ahead of time in the background.

        A batch lacks the pictures that turned out to be unreadable, and one that would be empty is
        passed over. Of several processes one whose own share is empty takes that of the next, so
        that all pass over the same batches. The threads end when the iterator is closed or dropped.

        Args:
            seed: the run's seed; the order of an epoch is ``permutation(seed, epoch, n)``.
            start_step: the place of the first batch; those before it cost nothing.

        Raises:
            DataError: more pictures are unreadable than allowed, or all.
        """
        jobs = self._training_shares(seed, start_step=start_step)
        with contextlib.closing(self._in_threads(jobs)) as results:
            for place, read in zip(count(start_step), results, strict=False):
                self._unreadable.note(read, num_judged=None)
                self._unreadable.check_any_left()
                if len(read.positions):
                    yield TrainingBatch(place // self.steps_per_epoch, self._batch(read), place)

    def batches(self) -> Generator[Batch, None, None]:
        """Every picture once, in the samples' order; the last batch may be smaller.

        Raises:
            DataError: more pictures are unreadable than allowed.
        """
        yield from self._in_order(self._used)

    def shared_batches(self, *, most: int | None = None) -> Generator[Batch, None, None]:
        """This process's share of ``batches``, which may be none.

        All processes together give each batch once, the first of them the first batches and so on.

        Args:
            most: pictures that they give together, evenly spaced since they often lie class by
                class, and rounded up to whole batches; None: all.

        Raises:
            DataError: more pictures are unreadable than allowed.
        """
        size, judged = self._batch_size, self._used
        if most is not None and most < len(judged):
            num = min(-(-most // size) * size, len(judged))
            judged = judged[np.linspace(0, len(judged) - 1, num).astype(np.int64)]
        num_batches = -(-len(judged) // size)
        start, end = (num_batches * (self._rank + i) // self._num_ranks * size for i in (0, 1))
        yield from self._in_order(judged[start:end])

    def _in_order(self, positions: Int64[np.ndarray, " n"]) -> Generator[Batch, None, None]:
        size = self._batch_size
        jobs = ([positions[i : i + size]] for i in range(0, len(positions), size))
        with contextlib.closing(self._in_threads(jobs)) as results:
            for read in results:
                self._unreadable.note(read, num_judged=None)
                if len(read.positions):
                    yield self._batch(read)

    def _stack(self) -> UInt8[np.ndarray, "N C H W"] | None:
        """All pictures, where they lie in memory as the model wants them and are all it wants."""
        size = self._preprocess
        if self.samples.annotations is not None or self._keeps_sizes or size.num_frames > 1:
            return None
        if not leaves_untouched(size):
            return None
        return self.samples.pictures.stack(
            height=size.height, width=size.width, channels=size.channels
        )

    def _training_shares(
        self, seed: int, *, start_step: int
    ) -> Iterator[list[Int64[np.ndarray, " n"]]]:
        """Of each batch the shares of all processes, this one's first and the others after it."""
        ranks = [(self._rank + i) % self._num_ranks for i in range(self._num_ranks)]
        order, order_epoch = self._used, -1
        for step in count(start_step):
            epoch, in_epoch = divmod(step, self.steps_per_epoch)
            if epoch != order_epoch:
                order = self._used[permutation(seed, epoch, self.num_pictures)]
                order_epoch = epoch
            batch = order[in_epoch * self.batch_size : (in_epoch + 1) * self.batch_size]
            share = len(batch) // self._num_ranks
            yield [batch[rank * share : (rank + 1) * share] for rank in ranks]

    def _in_threads(
        self, jobs: Iterable[list[Int64[np.ndarray, " n"]]]
    ) -> Generator[Read, None, None]:
        """Does jobs in order, a few ahead: of each the first share with a picture to be read."""
        stop = threading.Event()
        waiting: deque[Future[Read]] = deque()
        with ThreadPoolExecutor(self._num_threads, thread_name_prefix="decode") as pool:
            try:
                for shares in jobs:
                    waiting.append(pool.submit(self._read, shares, stop))
                    if len(waiting) >= self._num_threads + _AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                # The pool waits for its threads: without this, for whole batches of photographs.
                stop.set()
                for future in waiting:
                    future.cancel()

    def _read(self, shares: list[Int64[np.ndarray, " n"]], stop: threading.Event) -> Read:
        if self._cache is not None:
            return self._cache.take(shares[0])
        bad: dict[int, str] = {}
        for positions in shares:
            read = read_many(
                self.samples, positions, self._preprocess, keeps_sizes=self._keeps_sizes, stop=stop
            )
            bad |= read.bad
            if len(read.positions):
                break
        return read._replace(bad=bad)

    def _batch(self, read: Read) -> Batch:
        labels, targets = self.samples.labels, None
        if read.annotations:
            targets = collate(read.annotations)
        elif labels is not None:
            targets = torch.from_numpy(labels[read.positions])
        return Batch(
            images=torch.from_numpy(read.images),
            targets=targets,
            ids=torch.from_numpy(self.samples.ids[read.positions]),
            sizes=torch.tensor(read.sizes) if read.sizes else None,
        )
