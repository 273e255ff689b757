"""How fast a training is, and what it waits for."""

import copy
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.run.device import Precision, autocast
from saccade.tasks.build import AnyTask

_COUNTED = 2  # pictures, of which the operations are counted
_SIDE, _REPEATS = 2048, 3  # of the matrices that the rate is measured with


class Meter:
    """Rates between two records.

    Args:
        config: of the run.
        step: steps made so far.
        pictures_per_step: of all processes together.
        device: where the model is.
        num_devices: of this kind, with the same share of each step.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        step: int,
        pictures_per_step: int,
        device: torch.device,
        num_devices: int,
    ) -> None:
        self._config, self._device = config, device
        self._pictures_per_step, self._num_devices = pictures_per_step, num_devices
        self._peak_share: float | None = None  # of a picture a second, of the devices' best
        self._has_looked = False
        self.restart(step)

    def restart(self, step: int) -> None:
        """Forgets what was measured since the last record: the training stands at another step."""
        self._step, self._start, self._waited = step, time.monotonic(), 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While the next batch is waited for."""
        start = time.monotonic()
        yield
        self._waited += time.monotonic() - start

    def look(self, task: AnyTask, batch: Batch) -> None:
        """Counts what a step of the training computes; at the first call, and then never again."""
        if self._has_looked:
            return
        self._has_looked = True
        flops = flops_per_picture(task, batch, self._config)
        if flops is not None:
            rate = matmul_rate(self._device, self._config.precision)
            self._peak_share = flops / (rate * self._num_devices)

    def take(self, step: int) -> dict[str, float]:
        """The rates since the last call, and the memory so far.

        Args:
            step: steps made.

        Returns:
            ``images_per_second``; ``step_seconds``, the mean; ``data_wait``, the share of the time
            that passed in waiting for pictures; ``memory_gib``, the most that was held; ``mfu``,
            the share of the device's best rate of multiplying matrices that went into the model
            (arXiv 2204.02311), where that is known.
        """
        now = time.monotonic()
        seconds, steps = max(now - self._start, 1e-9), step - self._step
        rate = steps * self._pictures_per_step / seconds
        fields = {
            "images_per_second": rate,
            "step_seconds": seconds / max(steps, 1),
            "data_wait": self._waited / seconds,
            "memory_gib": memory_bytes(self._device) / 2**30,
        }
        if self._peak_share is not None:
            fields["mfu"] = rate * self._peak_share
        self._step, self._start, self._waited = step, now, 0.0
        return fields


def memory_bytes(device: torch.device) -> int:
    """The most that tensors on the device, or on a CPU the whole process, have held so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def matmul_rate(device: torch.device, precision: Precision) -> float:
    """Operations a second in large products of matrices.

    Measured, a tenth of a second: what is printed on a box is seldom what there is.
    """
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a = torch.ones(_SIDE, _SIDE, device=device, dtype=dtype)
    taken = []
    for _ in range(_REPEATS + 1):
        start = time.perf_counter()
        (a @ a)[0, 0].item()
        taken.append(time.perf_counter() - start)
    return 2 * _SIDE**3 / statistics.median(taken[1:])


def counted_flops() -> FlopCounterMode:
    """Counts operations, also those that ``saccade.transformer.linear`` leaves to oneDNN."""
    rules = {}
    if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        rules[torch.ops.mkldnn._linear_pointwise] = _linear_flops
    return FlopCounterMode(display=False, custom_mapping=rules)


def _linear_flops(x: torch.Size, weight: torch.Size, *_: Any, **__: Any) -> int:
    return 2 * x.numel() * weight[0]


def flops_per_picture(task: AnyTask, batch: Batch, config: RunConfig) -> float | None:
    """Operations of a training step for each picture, forward and backward, as a copy makes them.

    A copy of the task, so that nothing of the run is touched; of few pictures, since more take as
    much each. A multiplication and an addition count as two.

    Args:
        task: of which a copy is trained.
        batch: pictures of the run.
        config: of the run.

    Returns:
        None where such a copy cannot be trained on so few pictures, or does not fit into memory.
    """
    few = batch.parts(_COUNTED)[0]
    device = next(task.parameters()).device
    with counted_flops() as counter, torch.random.fork_rng(devices=[]):
        try:
            own = copy.deepcopy(task).train()
            if not any(parameter.requires_grad for parameter in own.parameters()):
                own.requires_grad_()  # the average, where the weights themselves are shared out
            with autocast(device, config.precision):
                loss = own.loss(few.to(device), progress=0.0)["loss"]
            loss.backward()
        except (RuntimeError, ValueError, IndexError, AssertionError):
            return None
    return counter.get_total_flops() / len(few)
