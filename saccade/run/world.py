"""Several processes that train one model together, as ``torchrun`` starts them."""

import importlib
import os
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from saccade.errors import UsageError

T = TypeVar("T")

TIMEOUT = timedelta(minutes=30)
"""How long one process waits for the others: the first one may have pictures to read."""


@dataclass(frozen=True)
class World:
    """Who this process is among how many; alone when nothing is said.

    What processes tell each other here are a few numbers on the CPU, in all of them at the same
    point of the program.

    Attributes:
        rank: the number of this process, from 0; the first one speaks, and writes to the disk.
        size: how many processes there are.
        local_size: how many there are on this machine.
        is_restarted: whether ``torchrun`` has started all of them again after one had died.
    """

    rank: int = 0
    size: int = 1
    local_size: int = 1
    is_restarted: bool = False

    @property
    def is_first(self) -> bool:
        """Whether this is the one that speaks and writes."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether there is no other."""
        return self.size == 1

    def share_of(self, batch_size: int) -> int:
        """How many pictures of a batch are this process's.

        Raises:
            UsageError: they cannot be shared evenly.
        """
        if batch_size % self.size:
            fitting = max(batch_size // self.size, 1) * self.size
            raise UsageError(
                f"data.batch_size is {batch_size}, which {self.size} processes cannot share "
                f"evenly; take --set data.batch_size={fitting}"
            )
        return batch_size // self.size

    def wait(self) -> None:
        """Until all processes are here."""
        if not self.is_alone:
            self._gathered([0.0])

    def mean(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Of each figure over all processes, to the bit the same in all of them."""
        if self.is_alone:
            return dict(figures)
        values = self._gathered(list(figures.values()))
        return dict(zip(figures, values.mean(dim=0).tolist(), strict=True))

    def most(self, value: int) -> int:
        """The largest that any process has."""
        return self.most_of_each(value)[0]

    def most_of_each(self, *values: int) -> list[int]:
        """Of several numbers at once."""
        if self.is_alone:
            return list(values)
        return [int(value) for value in self._gathered(list(values)).amax(dim=0)]

    def from_first(self, value: int) -> int:
        """What the first process has."""
        return value if self.is_alone else int(self._gathered([value])[0, 0])

    def tell(self, text: str) -> str:
        """What the first process says; the others say something too, which is not heard."""
        if self.is_alone:
            return text
        said = list(text.encode())
        heard = torch.tensor(said if self.is_first else [], dtype=torch.uint8)
        length = self.from_first(len(said))
        if not self.is_first:
            heard = torch.empty(length, dtype=torch.uint8)
        dist.broadcast(heard, src=0)
        return bytes(heard.tolist()).decode()

    def take_from_first(self, tensors: Iterable[torch.Tensor]) -> None:
        """Overwrites tensors with those of the first process, wherever they lie."""
        for tensor in () if self.is_alone else tensors:
            dist.broadcast(tensor, src=0)

    def collected(self, value: T) -> list[T]:
        """What all processes have, in their order; to the first alone, the others get nothing."""
        if self.is_alone:
            return [value]
        content = torch.frombuffer(bytearray(pickle.dumps(value)), dtype=torch.uint8)
        sizes = self._gathered([len(content)])[:, 0].long().tolist()
        padded = torch.zeros(max(sizes), dtype=torch.uint8)  # gloo takes equal lengths only
        padded[: len(content)] = content
        found = [torch.empty_like(padded) for _ in sizes] if self.is_first else None
        dist.gather(padded, found, dst=0)
        return [
            pickle.loads(each[:size].numpy().tobytes())
            for each, size in zip(found or [], sizes, strict=False)
        ]

    def _gathered(self, values: Sequence[float]) -> torch.Tensor:
        """A row of numbers from each process."""
        row = torch.tensor(values, dtype=torch.float64)
        rows = [torch.empty_like(row) for _ in range(self.size)]
        dist.all_gather(rows, row)  # on the CPU, so through gloo
        return torch.stack(rows)


ALONE = World()


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """The world that ``torchrun`` made, or that of one process when it did not.

    Args:
        device: gradients are exchanged by NCCL between GPUs, by gloo otherwise.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE
        return
    # These functions take the group of the moment of their import for a default, which would keep
    # it, and its threads, beyond its end; one that then drops a tensor while Python shuts down
    # aborts the process. Distributed training imports them.
    importlib.import_module("torch.distributed.nn.functional")
    # gloo beside NCCL, for numbers that are on the CPU.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    restarts = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    store, rank, size = next(rendezvous("env://"))
    # torchrun keeps one store for all restarts: without a place of its own a process may read where
    # another one was to be found before it died.
    store = dist.PrefixStore(f"restart {restarts}", store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)
    try:
        yield World(
            rank=rank,
            size=size,
            local_size=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
            is_restarted=restarts > 0,
        )
    finally:
        dist.destroy_process_group()
