"""What the C library does with memory that a training step gives back."""

import ctypes
import functools
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # of mallopt, see its manual page
_NEVER = 2**31 - 1
_AT_ONCE = 64 * 2**20


@functools.cache
def keep_memory() -> bool:
    """Tells glibc to keep what is freed, for the process to use again.

    By default every tensor of some megabytes is mapped afresh and given back to the system, and
    the kernel clears each of its pages anew: a seventh of the time of a training step on a CPU
    (``python -m benchmarks page_faults``). The process keeps its largest size until it ends.

    Returns:
        Whether it was done: other C libraries, and other systems, have other habits.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    wishes = {_MMAP_MAX: 0, _TRIM_THRESHOLD: _NEVER, _TOP_PAD: _AT_ONCE}
    return all(mallopt(name, value) == 1 for name, value in wishes.items())
