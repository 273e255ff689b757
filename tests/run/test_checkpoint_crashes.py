"""A checkpoint is there whole or not at all: whatever fails, and whenever, an earlier one reads."""

import errno
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from saccade.errors import SaccadeError
from saccade.run import checkpoint
from saccade.run.checkpoint import MANIFEST, STATE, TENSORS
from tests.tiny import same_bits

CRASH = 77  # the exit code of a child that was made to die


def tensors(step: int) -> dict[str, Tensor]:
    return {"weight": torch.randn(50, 3, generator=torch.Generator().manual_seed(step))}


def save(folder: Path, step: int) -> None:
    checkpoint.save(folder, step=step, tensors=tensors(step), state={"step": step})


def latest_step(folder: Path) -> int:
    """The newest step that reads, with the tensors that were saved at it."""
    found = checkpoint.load_latest(folder)
    assert found is not None
    assert same_bits(found.tensors, tensors(found.state["step"]))
    return found.state["step"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# A process can die between any two things it does to the disk. These are all of them.
OPERATIONS = [
    (os, "fsync"),
    (os, "open"),
    (os, "mkdir"),
    (os, "rename"),
    (os, "replace"),
    (os, "unlink"),
    (os, "rmdir"),
    (Path, "open"),
    (Path, "mkdir"),
    (Path, "rename"),
]


def count_down(monkeypatch: pytest.MonkeyPatch, moment: int, *, then: Callable[[], None]) -> list:
    """Calls ``then`` instead of the operation number ``moment``; returns a list of those done."""
    done: list[str] = []

    def wrap(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def counted(*args: object, **kwargs: object) -> object:
            if len(done) == moment:
                then()
            done.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    for owner, name in OPERATIONS:
        wrap(owner, name)
    return done


def in_child(work: Callable[[], None]) -> int:
    """Runs ``work`` in a forked process; returns its exit code, 0 when it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def crash_everywhere(
    tmp_path: Path, before: tuple[int, ...], step: int, *, forked: Callable[..., int] = in_child
) -> list[tuple[int, int]]:
    """Saves ``step`` after ``before`` and dies at each moment; returns (moment, newest readable).

    Raises:
        SaccadeError: at some moment nothing readable was left.
    """
    found = []
    for moment in range(500):
        folder = tmp_path / f"moment-{moment}"
        for earlier in before:
            save(folder, earlier)

        def work(moment: int = moment, folder: Path = folder) -> None:
            with pytest.MonkeyPatch.context() as patch:
                count_down(patch, moment, then=lambda: os._exit(CRASH))
                save(folder, step)

        code = forked(work)
        found.append((moment, latest_step(folder)))
        shutil.rmtree(folder)
        if code == 0:
            return found
        assert code == CRASH
    raise AssertionError("saving never came to its end")


@pytest.mark.parametrize("before", [(10,), (10, 20), (10, 20, 30)])
def test_a_crash_at_any_moment_leaves_the_former_or_the_new_one(
    tmp_path: Path, before: tuple[int, ...]
):
    found = crash_everywhere(tmp_path, before, 40)
    assert len(found) > 10
    steps = [step for _, step in found]
    assert set(steps) == {before[-1], 40}
    assert steps == sorted(steps)  # once the new one is there it stays


def test_a_crash_while_the_same_step_is_saved_again_loses_nothing(tmp_path: Path):
    # After a resume the newest step is due again, and it may be the only checkpoint there is.
    found = crash_everywhere(tmp_path, (10,), 10)
    assert {step for _, step in found} == {10}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_full_disk_at_any_moment_is_one_clear_error_and_the_former_one_reads(
    tmp_path: Path, number: int
):
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    failures = 0
    for moment in range(500):
        folder = tmp_path / f"moment-{moment}"
        save(folder, 10)
        error = None
        with pytest.MonkeyPatch.context() as patch:
            done = count_down(patch, moment, then=fail)
            try:
                save(folder, 20)
            except SaccadeError as caught:
                error = caught
            is_over = len(done) < moment
        assert latest_step(folder) in (10, 20)
        if error is not None:
            failures += 1
            assert "step 20" in str(error)
            assert "--resume" in str(error)
            assert ("the disk is full" if number == errno.ENOSPC else os.strerror(number)) in str(
                error
            )
            save(folder, 20)  # with room again, the next save works and tidies up
            assert latest_step(folder) == 20
            assert not list(folder.glob(".*"))
        if is_over:
            break
    assert failures > 5


def test_a_full_disk_names_the_checkpoint_that_is_intact(tmp_path: Path):
    save(tmp_path, 10)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        with pytest.raises(SaccadeError, match="step-00000010 is intact"):
            checkpoint.save(tmp_path, step=20, tensors={"x": torch.ones(5000)}, state={"step": 20})

    assert in_child(work) == 0
    assert names(tmp_path) == ["step-00000010"]
    assert latest_step(tmp_path) == 10


def test_a_full_disk_at_the_first_save_says_that_nothing_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SaccadeError, match=r"the disk is full; nothing was saved before"):
        save(tmp_path / "checkpoints", 7)
    assert names(tmp_path / "checkpoints") == []


def test_files_are_on_the_disk_before_the_folder_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    events = []
    real_fsync, real_rename = os.fsync, Path.rename

    def fsync(descriptor: int) -> None:
        events.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real_fsync(descriptor)

    def rename(path: Path, target: Path) -> Path:
        events.append(f"rename to {target.name}")
        return real_rename(path, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to tell which file was flushed")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    save(tmp_path / "checkpoints", 3)
    middle = events.index("rename to step-00000003")
    assert {TENSORS, STATE, MANIFEST} <= set(events[:middle])
    assert events[middle + 1 :] == ["checkpoints"]
