"""Memory that a training step frees is there for the next one, without the kernel's help."""

import platform
import sys

import pytest

from saccade.run import memory
from tests import tiny

STEPS = """
import resource
import torch
from saccade.run.memory import keep_memory

assert {calls} or keep_memory()
for step in range(30):
    if step == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(10, 2**20).add(1.0)  # 40 MB twice: twenty steps are 400,000 pages
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, is_kept: bool) -> int:
    done = tiny.run_command([sys.executable, "-c", STEPS.format(calls=not is_kept)])
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_pages_are_cleared_once_and_not_at_each_step() -> None:
    assert faults(is_kept=True) < 1000
    assert faults(is_kept=False) > 100_000


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("", ""))
    memory.keep_memory.cache_clear()

    assert not memory.keep_memory()

    memory.keep_memory.cache_clear()
