"""A checkpoint is there whole or not at all: whatever fails, and whenever, an earlier one reads."""

import errno
import json
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
from saccade.run.checkpoint import KEEP, MANIFEST, STATE, TENSORS
from tests.tiny import same_bits

CRASH = 77  # the exit code of a child that was made to die


def tensors(seed: int = 0, *, size: int = 50) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(size, 3, generator=generator)
    return {
        "weight": x,
        "half": x.bfloat16(),
        "count": torch.tensor(seed, dtype=torch.int64),
        "scalar": torch.tensor(1 / 3),
        "transposed": torch.randn(4, 6, generator=generator).T,
        "kernel": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]),
        "nothing": torch.empty(0, 2),
    }


STATE_OF = {"step": 7, "progress": 0.1 + 0.2, "best": None, "sums": {"loss": 1e-17, "top1": 2 / 3}}


def save(folder: Path, step: int) -> None:
    checkpoint.save(folder, step=step, tensors=tensors(step), state={"step": step})


def latest_step(folder: Path) -> int:
    found = checkpoint.load_latest(folder)
    assert found is not None
    assert same_bits(
        {"weight": found.tensors["weight"]}, {"weight": tensors(found.state["step"])["weight"]}
    )
    return found.state["step"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_comes_back_to_the_bit(tmp_path: Path):
    given = tensors()
    checkpoint.save(tmp_path, step=7, tensors=given, state=STATE_OF)
    found = checkpoint.load_latest(tmp_path)
    assert found is not None
    assert same_bits(found.tensors, given)
    assert found.state == STATE_OF
    assert found.damaged == ()


def test_where_nothing_was_saved_there_is_nothing_to_load(tmp_path: Path):
    assert checkpoint.load_latest(tmp_path) is None
    assert checkpoint.load_latest(tmp_path / "missing") is None


def test_newest_are_kept_and_found_by_number_not_by_spelling(tmp_path: Path):
    for step in (9, 10, 100):
        save(tmp_path, step)
    assert len(names(tmp_path)) == KEEP == 2
    assert [path.name for path in checkpoint.checkpoints(tmp_path)] == names(tmp_path)
    assert latest_step(tmp_path) == 100
    save(tmp_path, 123_456_789)  # more digits than the name has room for
    assert latest_step(tmp_path) == 123_456_789
    assert len(names(tmp_path)) == KEEP


def test_same_step_can_be_saved_again(tmp_path: Path):
    save(tmp_path, 5)
    save(tmp_path, 5)
    assert latest_step(tmp_path) == 5
    assert len(names(tmp_path)) == 1


def flip(path: Path, where: int) -> None:
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit in the tensors": lambda c: flip(c / TENSORS, -5),
    "a flipped bit in the header": lambda c: flip(c / TENSORS, 20),
    "a flipped bit in the state": lambda c: flip(c / STATE, 3),
    "a flipped bit in a hash": lambda c: flip(c / MANIFEST, 40),
    "truncated tensors": lambda c: os.truncate(c / TENSORS, 100),
    "empty tensors": lambda c: os.truncate(c / TENSORS, 0),
    "empty manifest": lambda c: os.truncate(c / MANIFEST, 0),
    "a manifest of zeros": lambda c: (c / MANIFEST).write_bytes(bytes(200)),
    "no manifest": lambda c: (c / MANIFEST).unlink(),
    "no tensors": lambda c: (c / TENSORS).unlink(),
    "no files": lambda c: [path.unlink() for path in c.iterdir()],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_newest_one_is_passed_over_and_named(
    tmp_path: Path, damage: Callable[[Path], object]
):
    save(tmp_path, 10)
    save(tmp_path, 20)
    damage(tmp_path / "step-00000020")
    found = checkpoint.load_latest(tmp_path)
    assert found is not None
    assert found.state == {"step": 10}
    assert same_bits(found.tensors, tensors(10) | {"kernel": found.tensors["kernel"]})
    assert found.damaged == ("step-00000020",)


def test_every_single_byte_of_a_checkpoint_is_guarded(tmp_path: Path):
    checkpoint.save(tmp_path, step=1, tensors={"x": torch.arange(3.0)}, state={"step": 1})
    whole = tmp_path / "step-00000001"
    for file in (TENSORS, STATE):
        for where in range((whole / file).stat().st_size):
            flip(whole / file, where)
            with pytest.raises(SaccadeError):
                checkpoint.load_latest(tmp_path)
            flip(whole / file, where)
    assert checkpoint.load_latest(tmp_path) is not None


def test_when_all_are_damaged_that_is_said_with_their_names(tmp_path: Path):
    for step in (1, 2):
        save(tmp_path, step)
        flip(tmp_path / f"step-{step:08d}" / TENSORS, -1)
    with pytest.raises(SaccadeError, match=r"damaged.*step-00000002.*step-00000001") as caught:
        checkpoint.load_latest(tmp_path)
    assert caught.value.exit_code == 1


def test_leftovers_of_a_killed_process_are_swept_away(tmp_path: Path):
    save(tmp_path, 1)
    (tmp_path / ".step-00000002.tmp").mkdir()
    (tmp_path / ".step-00000002.tmp" / TENSORS).write_bytes(b"half")
    assert latest_step(tmp_path) == 1
    save(tmp_path, 2)
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


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


def test_state_is_readable_json(tmp_path: Path):
    checkpoint.save(tmp_path, step=7, tensors={}, state=STATE_OF)
    assert json.loads((tmp_path / "step-00000007" / STATE).read_text()) == STATE_OF


def test_a_copy_that_a_person_made_beside_the_checkpoints_does_no_harm(tmp_path: Path):
    save(tmp_path, 1)
    stray = "step-00000001 (copy)"
    shutil.copytree(tmp_path / "step-00000001", tmp_path / stray)
    assert latest_step(tmp_path) == 1
    save(tmp_path, 2)
    save(tmp_path, 3)
    assert latest_step(tmp_path) == 3
    assert (tmp_path / stray).is_dir()
