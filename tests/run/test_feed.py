"""Batches come as they were; to a GPU each is sent before the one before it is given out."""

from collections.abc import Generator
from contextlib import nullcontext

import pytest
import torch

from saccade.data.batch import Batch
from saccade.data.loader import TrainingBatch
from saccade.run.feed import fed

NUM = 4


class Stream:
    """As much of a stream as is used."""

    def __init__(self, name: str, did: list[str]) -> None:
        self.name, self.did = name, did

    def wait_stream(self, other: "Stream") -> None:
        self.did.append(f"{self.name} waits for {other.name}")


def batches(did: list[str]) -> Generator[TrainingBatch, None, None]:
    try:
        for place in range(NUM):
            images = torch.full((1, 3, 2, 2), place, dtype=torch.uint8)
            batch = Batch(images=images, targets=None, ids=torch.tensor([place]))
            yield TrainingBatch(0, batch, place)
        raise AssertionError("training batches have no end")
    finally:
        did.append("closed")


def test_elsewhere_they_are_passed_on_and_closed() -> None:
    did: list[str] = []
    given = fed(batches(did), torch.device("cpu"))
    assert [next(given).place for _ in range(NUM)] == list(range(NUM))
    assert did == []
    given.close()
    assert did == ["closed"]


def test_a_gpu_gets_the_next_before_this_one_is_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []

    def moved(batch: Batch, what: str) -> Batch:
        did.append(f"{what} {int(batch.ids)}")
        return batch

    monkeypatch.setattr(torch.cuda, "Stream", lambda _: Stream("copies", did))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: Stream("steps", did))
    monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())
    monkeypatch.setattr(Batch, "pinned", lambda batch: moved(batch, "pin"))
    monkeypatch.setattr(Batch, "to", lambda batch, _: moved(batch, "send"))
    monkeypatch.setattr(Batch, "used_in", lambda batch, stream: moved(batch, stream.name))

    given = fed(batches(did), torch.device("cuda"))
    places = []
    for _ in range(2):
        places.append(next(given).place)
        did.append("step")
    given.close()

    assert places == [0, 1]
    assert did == [
        *("pin 0", "send 0", "steps waits for copies", "steps 0", "pin 1", "send 1", "step"),
        *("steps waits for copies", "steps 1", "pin 2", "send 2", "step", "closed"),
    ]
