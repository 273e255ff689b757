"""Batches on their way to the device while the one before them is computed."""

import contextlib
from collections.abc import Generator

import torch

from saccade.data.loader import TrainingBatch


def fed(
    batches: Generator[TrainingBatch, None, None], device: torch.device
) -> Generator[TrainingBatch, None, None]:
    """The same batches, to a GPU one ahead.

    A copy from ordinary memory makes the processor wait for the GPU; one from pinned memory, in a
    stream of its own, runs beside the step before. Elsewhere batches are passed on as they are.

    Args:
        batches: in ordinary memory; closed when this is.
        device: where they are needed.
    """
    if device.type != "cuda":
        yield from batches
        return
    stream = torch.cuda.Stream(device)

    def sent(given: TrainingBatch) -> TrainingBatch:
        with torch.cuda.stream(stream):
            return given._replace(batch=given.batch.pinned().to(device))

    with contextlib.closing(batches):
        ahead = sent(next(batches))
        while True:
            now = ahead
            used_in = torch.cuda.current_stream(device)
            used_in.wait_stream(stream)
            now.batch.used_in(used_in)
            ahead = sent(next(batches))
            yield now
