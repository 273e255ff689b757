"""Processes agree: on means to the bit, on what the first says, on who shares what."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from saccade.errors import UsageError
from saccade.run.world import ALONE, World, joined
from tests import tiny

TALK = """
import torch
from saccade.run.world import joined

with joined(torch.device("cpu")) as world:
    assert world.size == 3
    assert world.is_first == (world.rank == 0)
    world.wait()
    found = world.mean({"a": float(world.rank), "b": 1.0})
    assert found == {"a": 1.0, "b": 1.0}, found
    assert world.most(10 * world.rank) == 20
    assert world.most_of_each(world.rank, -world.rank) == [2, 0]
    things = world.collected(["x" * 10**world.rank, world.rank])
    assert things == ([["x", 0], ["x" * 10, 1], ["x" * 100, 2]] if world.is_first else [])
    taken = torch.tensor([world.rank]), torch.tensor(0.5 + world.rank)
    world.take_from_first(taken)
    assert taken == (0, 0.5)
    assert world.from_first(7 + world.rank) == 7
    assert world.tell("Grüße" * 100 if world.is_first else "") == "Grüße" * 100
print("agreed")
"""

LEAVE = """
import sys, torch
from pathlib import Path
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from saccade.run.world import joined

def train():
    DistributedDataParallel(nn.Linear(2, 2))(torch.zeros(1, 2)).sum().backward()

def threads():
    return {path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")}

sys.setswitchinterval(5)  # seconds; a thread that wants the interpreter gets it too late
with joined(torch.device("cpu")) as world:
    train()
    for _ in range(100):
        world.wait()
    assert any("gloo" in name for name in threads())
left = {name for name in threads() if "gloo" in name}
assert not left, left
"""


def torchrun(count: int, *command: str) -> subprocess.CompletedProcess[str]:
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    return tiny.run_command([sys.executable, *launch, *command])


@pytest.mark.slow
def test_three_processes_agree(tmp_path: Path) -> None:
    script = tmp_path / "talk.py"
    script.write_text(TALK)

    done = torchrun(3, str(script))

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("agreed") == 3


@pytest.mark.slow
def test_nothing_of_a_world_outlives_it(tmp_path: Path) -> None:
    script = tmp_path / "leave.py"
    script.write_text(LEAVE)

    done = torchrun(2, str(script))

    assert done.returncode == 0, done.stderr


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    with joined(torch.device("cpu")) as world:
        assert world == ALONE
        assert world.is_first
        assert world.is_alone


def test_alone_every_answer_is_ones_own() -> None:
    ALONE.wait()
    assert ALONE.mean({"a": 0.3}) == {"a": 0.3}
    assert ALONE.most(4) == 4
    assert ALONE.most_of_each(4, 2) == [4, 2]
    assert ALONE.collected("mine") == ["mine"]
    assert ALONE.from_first(5) == 5
    assert ALONE.tell("words") == "words"


def test_a_batch_that_cannot_be_shared_evenly_is_refused_with_one_that_can() -> None:
    world = World(rank=1, size=4)
    assert world.share_of(32) == 8
    with pytest.raises(UsageError, match=r"data\.batch_size is 50.*data\.batch_size=48"):
        world.share_of(50)
    with pytest.raises(UsageError, match=r"data\.batch_size=4"):
        world.share_of(3)
