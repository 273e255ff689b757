"""Two processes cannot spoil one run, and a lock never outlives its process."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from saccade.errors import UsageError
from saccade.run import lock
from saccade.run.lock import locked
from tests import tiny

HOLD = """
import sys
from pathlib import Path
from saccade.run.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        env=tiny.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_a_second_process_is_told_to_wait(tmp_path: Path) -> None:
    child = holder(tmp_path)
    try:
        with pytest.raises(UsageError, match=r"another process is training .*--resume"):
            locked(tmp_path).__enter__()
    finally:
        child.communicate()
    with locked(tmp_path):
        pass


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    child = holder(tmp_path)
    child.kill()
    child.communicate()

    with locked(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_disk_without_locks_is_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with lock.locked(tmp_path):
        pass
