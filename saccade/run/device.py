"""Which device and precision, and how many cores, by looking and measuring."""

import importlib.util
import os
import shutil
import statistics
import time
from typing import Literal

import torch

from saccade.errors import UsageError
from saccade.tasks.build import AnyTask

Precision = Literal["bf16", "fp32"]


def choose_device(name: str | None = None) -> torch.device:
    """The device named, or the best one here: CUDA, then Apple's MPS, then the CPU.

    Of several processes that ``torchrun`` starts on a machine each has the GPU of its number, from
    the first call on: merely looking at another one would take memory there.

    Raises:
        UsageError: the device named is not available, or there are fewer GPUs than processes.
    """
    if name is None:
        if torch.cuda.is_available():
            return _own_gpu(torch.device("cuda"))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type == "cuda" and torch.cuda.is_available():
            device = _own_gpu(device)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).splitlines()[0]
        raise UsageError(
            f"device {name!r} cannot be used here ({first_line}); try cpu, or leave it out"
        ) from None
    return device


def choose_precision(device: torch.device) -> Precision:
    """bf16 where this device multiplies matrices clearly faster in it, else fp32.

    A processor without bf16 instructions emulates them, several times slower, so this is measured:
    three products of 1024 x 1024 in each precision, some 30 milliseconds.
    """
    if device.type == "mps":
        return "fp32"
    seconds = {dtype: _matmul_seconds(device, dtype) for dtype in (torch.float32, torch.bfloat16)}
    return "bf16" if seconds[torch.bfloat16] < 0.8 * seconds[torch.float32] else "fp32"


def place(task: AnyTask, device: torch.device) -> AnyTask:
    """Moves a task to a device, channels last: convolutions are faster so, the rest is equal."""
    task.to(device)
    for parameter in task.parameters():
        if parameter.ndim == 4:  # module.to(memory_format=...) would refuse kernels of clips
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return task


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context in which forward passes run; nothing changes under fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def require_compiler(device: torch.device) -> None:
    """Checks that torch.compile has what it needs here.

    Raises:
        UsageError: on a CPU there is no C++ compiler, or elsewhere no Triton.
    """
    if device.type == "cpu" and not any(map(shutil.which, (os.environ.get("CXX", "g++"), "clang"))):
        raise UsageError(
            "compile=true needs a C++ compiler, and there is no g++ or clang here; install one, "
            "name it in CXX, or leave compile out"
        )
    if device.type == "cuda" and importlib.util.find_spec("triton") is None:
        raise UsageError(
            "compile=true needs Triton, which is not installed; `pip install triton`, or leave "
            "compile out"
        )


def num_cores() -> int:
    """The cores this process may use; as many threads decode."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _own_gpu(device: torch.device) -> torch.device:
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return device
    number, count = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if number >= count:
        raise UsageError(
            f"process {number + 1} of this machine has no GPU of its own, since there "
            f"{'is' if count == 1 else 'are'} {count}; give torchrun --nproc-per-node {count}, or "
            "train with --device cpu"
        )
    torch.cuda.set_device(number)  # also for what names no device: NCCL, and pinned memory
    return torch.device("cuda", number)


def _matmul_seconds(device: torch.device, dtype: torch.dtype) -> float:
    a = torch.ones(1024, 1024, device=device, dtype=dtype)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        (a @ a)[0, 0].item()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])
